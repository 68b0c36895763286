package recipe

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	api "github.com/sitewright/sitewright/api/recipe"
)

// maxPage bounds what is read of a page.
const maxPage = 1 << 20

// CheckHealth asks for a page as a visitor of host would and returns nil when the site works: its status is one of the
// health's, and its body holds none of the texts that a working site never shows. Redirects are answers, not followed.
//
// scheme is what the visitor uses; https is told to the site as the ingress controller does, which ends TLS before it.
func CheckHealth(ctx context.Context, url, scheme, host string, health api.Health) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("health of %s: %w", url, err)
	}
	if host != "" {
		request.Host = host
	}
	request.Header.Set("User-Agent", "sitewright-health")
	if scheme != "" {
		request.Header.Set("X-Forwarded-Proto", scheme)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("the site does not answer: %w", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxPage))
	if err != nil {
		return fmt.Errorf("the site's answer breaks off: %w", err)
	}
	for _, text := range health.Not {
		if bytes.Contains(body, []byte(text)) {
			return fmt.Errorf("the site answers %s with a page that says %q", response.Status, text)
		}
	}
	allowed := health.Status
	if len(allowed) == 0 {
		allowed = []int32{http.StatusOK, http.StatusMovedPermanently, http.StatusFound}
	}
	if !slices.Contains(allowed, int32(response.StatusCode)) {
		return fmt.Errorf("the site answers %s, not %s", response.Status, strings.Trim(fmt.Sprint(allowed), "[]"))
	}
	return nil
}
