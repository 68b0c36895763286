# Every image of the project, each a target of its own:
#
#   operator   the sitewright program, on nothing
#   runtime    Apache and PHP, what a site's code runs on; PHP's version is the Debian suite's:
#              7.4 bullseye, 8.2 bookworm, 8.4 trixie
#   mariadb    the database server that the chart can bundle
#
#   docker build --target operator -t sitewright .
#   docker build --target runtime --build-arg SUITE=trixie -t sitewright-runtime:php-8.4 .
#
# BASE may be any Debian of that suite. What is in it already is not installed again, so a base made with debootstrap
# that has the packages builds without a network.
ARG SUITE=bookworm
ARG BASE=debian:${SUITE}-slim
# Where the program comes from: "build" compiles it here, "prebuilt" takes bin/sitewright from the checkout.
ARG BINARY=build

FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o /bin/sitewright ./cmd/sitewright

FROM scratch AS prebuilt
COPY bin/sitewright /bin/sitewright

FROM ${BINARY} AS binary

FROM scratch AS operator
COPY --from=binary /bin/sitewright /sitewright
USER 65532:65532
ENTRYPOINT ["/sitewright"]

FROM ${BASE} AS runtime
RUN set -eu; \
    packages="apache2 libapache2-mod-php php-mysql php-gd php-xml php-mbstring php-zip php-intl php-curl php-bcmath ca-certificates"; \
    if ! dpkg-query --show $packages >/dev/null 2>&1; then \
      apt-get update; \
      DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $packages; \
      rm -rf /var/lib/apt/lists/*; \
    fi
COPY config/runtime/ /etc/sitewright/
# The same settings for Apache's PHP and for the command line's; and the document root outside a site's base path.
RUN mkdir -p /site /var/empty; \
    for folder in /etc/php/*/apache2/conf.d /etc/php/*/cli/conf.d; do ln -s /etc/sitewright/php.ini "$folder/99-sitewright.ini"; done
ENV SITEWRIGHT_DOCUMENT_ROOT=/site/www SITEWRIGHT_BASE_PATH=
EXPOSE 8080
USER 33:33
# Apache's graceful-stop: requests under way are answered first.
STOPSIGNAL SIGWINCH
ENTRYPOINT ["/bin/sh", "/etc/sitewright/start-apache"]

FROM ${BASE} AS mariadb
RUN set -eu; \
    if ! dpkg-query --show mariadb-server >/dev/null 2>&1; then \
      apt-get update; \
      DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends mariadb-server; \
      rm -rf /var/lib/apt/lists/*; \
    fi; \
    rm -rf /var/lib/mysql; \
    mkdir -p /run/mysqld; \
    install -d -o 999 -g 999 -m 0750 /var/lib/mysql
COPY config/mariadb/ /etc/sitewright/
VOLUME /var/lib/mysql
EXPOSE 3306
USER 999:999
ENTRYPOINT ["/bin/sh", "/etc/sitewright/start-mariadb"]
