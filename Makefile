# `make help` lists what there is. A Debian 12 machine with Go, make and root needs nothing else: whatever is missing is
# built from Go modules or installed from Debian by the commands themselves.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# Go and the caches need a home, which some CI systems and `sudo` leave out.
export HOME ?= $(shell getent passwd "$$(id -u)" | cut -d: -f6)
# Downloaded tools go here, beside what hack/cluster keeps.
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/sitewright

# Tools are run by `go run module@version`, not by tool directives: those would put the tools' dependencies into go.mod,
# where they would decide the versions of the operator's own.
CONTROLLER_GEN := go run sigs.k8s.io/controller-tools/cmd/controller-gen@v0.23.0

CHART := charts/sitewright

##@ Try it

.PHONY: up
up: need-go need-root ## bring up a local Kubernetes with the operator and a site, and say where it is
	@go run ./hack/cluster up

.PHONY: down
down: need-go need-root ## take the local Kubernetes down and remove all it left
	@go run ./hack/cluster down

.PHONY: images
images: need-go need-root ## build the images and bring what changed into the running local Kubernetes
	@go run ./hack/cluster images

##@ Work on it

.PHONY: build
build: need-go ## build bin/sitewright
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o bin/sitewright ./cmd/sitewright

.PHONY: generate
generate: need-go ## make deep copies, apply configurations, CRDs and RBAC rules anew, and copy them into the chart
	$(CONTROLLER_GEN) object crd applyconfiguration paths=./api/... output:crd:artifacts:config=config/crd/bases
	$(CONTROLLER_GEN) rbac:roleName=sitewright-manager paths=./controllers/... output:rbac:artifacts:config=config/rbac
	go run ./hack/compatdoc >docs/compat.md
	@# A chart cannot reach outside its folder.
	@rm -rf $(CHART)/files && mkdir -p $(CHART)/files/{crds,rbac,applications}
	@cp config/crd/bases/*.yaml $(CHART)/files/crds/
	@cp config/rbac/role.yaml config/rbac/panel.yaml $(CHART)/files/rbac/
	@for file in config/applications/*.yaml; do \
		if [[ -e $$file && $$file != */kustomization.yaml ]]; then cp "$$file" $(CHART)/files/applications/; fi; \
	done

.PHONY: test
test: need-go need-root ## run every test, those on the local Kubernetes too
	@# Not by go run, which has a word of its own to add when a test fails.
	@go build -o bin/test ./hack/test
	@bin/test

.PHONY: bench
bench: need-go need-root ## measure the data path against restic, mariadb-dump, cp and sed, in 40 minutes (FLAGS go to hack/bench)
	go run ./hack/bench $(FLAGS)

.PHONY: bench-compat
bench-compat: need-go ## measure how fast the HTTP API answers with 10,000 sites in memory, in 6 minutes
	@tools=$$(go run ./hack/cluster tools | tail -n 1); \
	KUBEBUILDER_ASSETS=$$tools go test ./compat -run '^$$' -bench . -benchtime 20x

# SEED=7 makes other moments than SEED=1, and MOMENTS=3 fewer; FLAGS go to test/chaos (-help).
SEED ?= 1
MOMENTS ?= 20
.PHONY: chaos
chaos: need-go need-root build ## kill agent, database and storage at 20 moments each, and look what is left (SEED, MOMENTS)
	@go run ./hack/cluster up >/dev/null
	@go build -o bin/chaos ./test/chaos
	@bin/chaos -seed $(SEED) -moments $(MOMENTS) $(FLAGS)

.PHONY: lint
lint: need-go ## run golangci-lint with kube-api-linter
	@key=$$( (go env GOVERSION; cat hack/lint/go.mod hack/lint/go.sum hack/lint/main.go) | sha256sum | cut -c1-12); \
	program=$(CACHE)/lint-$$key/golangci-lint; \
	if [[ ! -x $$program ]]; then \
		echo "building golangci-lint with kube-api-linter, once: some minutes"; \
		(cd hack/lint && go build -trimpath -ldflags "-s -w" -o "$$program" .); \
	fi; \
	"$$program" run ./...

.PHONY: verify
verify: need-go ## fail when generated files are stale, or code is not formatted, vetted or the chart is wrong
	@hack/verify

##@ Help

.PHONY: help
help: ## show this
	@awk 'BEGIN {FS = ":.*## "} /^##@ / {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: need-go
need-go:
	@command -v go >/dev/null || { echo "Go is missing: install Go 1.26 or newer and put it on PATH" >&2; exit 1; }
	@go list -m >/dev/null 2>&1 || { echo "$$(cd / && go version) is too old: install Go 1.26 or newer" >&2; exit 1; }

.PHONY: need-root
need-root:
	@[[ $$(id -u) -eq 0 ]] || { echo "this must run as root: the local Kubernetes mounts file systems and runs containers" >&2; exit 1; }
