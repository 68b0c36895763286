package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sitewright/sitewright/test/local"
)

// browser is a session with a site, through the ingress: names are not resolved, every connection goes to the ingress controller.
type browser struct {
	t     *testing.T
	site  string
	http  *http.Client
	nonce string
}

func newBrowser(t *testing.T, site string) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, site: strings.TrimSuffix(site, "/"), http: &http.Client{Jar: jar, Timeout: time.Minute, Transport: local.Transport()}}
}

// do sends a request to a path of the site and reads the answer.
func (b *browser) do(method, path, contentType string, body []byte) (int, string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.site+path, bytes.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	if b.nonce != "" {
		r.Header.Set("X-WP-Nonce", b.nonce)
	}
	answer, err := b.http.Do(r)
	if err != nil {
		b.t.Fatalf("%s %s%s: %v", method, b.site, path, err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 8<<20))
	if err != nil {
		b.t.Fatalf("%s %s%s: %v", method, b.site, path, err)
	}
	return answer.StatusCode, string(text)
}

// get reads a page that must be there.
func (b *browser) get(path string) string {
	b.t.Helper()
	status, text := b.do(http.MethodGet, path, "", nil)
	if status != http.StatusOK {
		b.t.Fatalf("GET %s%s: status %d: %.300s", b.site, path, status, text)
	}
	return text
}

// reached waits for the ingress controller to know the site: it learns of an Ingress a moment after the Install is Ready. It is known when it answers twice,
// a second apart: on a machine that has much else to do, the kubelet takes a pod that has just become ready for not ready once more.
func (b *browser) reached(path string) {
	b.t.Helper()
	answered := false
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		status, text := b.do(http.MethodGet, path, "", nil)
		if status == http.StatusOK {
			if answered {
				return
			}
			answered = true
			time.Sleep(time.Second)
			continue
		}
		answered = false
		if strings.TrimSpace(text) != "404 page not found" || time.Now().After(deadline) {
			b.t.Fatalf("GET %s%s: status %d: %.300s", b.site, path, status, text)
		}
	}
}

// login logs in through the site's own form, and gets the nonce for its REST API.
func (b *browser) login(user, password string) {
	b.t.Helper()
	b.reached("/wp-login.php")
	form := url.Values{"log": {user}, "pwd": {password}, "wp-submit": {"Log In"}, "testcookie": {"1"}, "redirect_to": {b.site + "/wp-admin/profile.php"}}
	status, text := b.do(http.MethodPost, "/wp-login.php", "application/x-www-form-urlencoded", []byte(form.Encode()))
	if status != http.StatusOK || !strings.Contains(text, "Profile") {
		b.t.Fatalf("login as %s at %s: status %d: %.300s", user, b.site, status, text)
	}
	b.nonce = strings.TrimSpace(b.get("/wp-admin/admin-ajax.php?action=rest-nonce"))
	if b.nonce == "" || len(b.nonce) > 20 {
		b.t.Fatalf("no nonce for the REST API but %q", b.nonce)
	}
}

// rest calls the site's REST API; the answer must be 200 or 201.
func (b *browser) rest(method, route string, in any, out any) {
	b.t.Helper()
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			b.t.Fatal(err)
		}
	}
	status, text := b.do(method, "/index.php?rest_route="+route, "application/json", body)
	b.decode(method, route, status, text, out)
}

func (b *browser) decode(method, route string, status int, text string, out any) {
	b.t.Helper()
	if status != http.StatusOK && status != http.StatusCreated {
		b.t.Fatalf("%s %s at %s: status %d: %.500s", method, route, b.site, status, text)
	}
	if out != nil {
		if err := json.Unmarshal([]byte(text), out); err != nil {
			b.t.Fatalf("%s %s at %s: %v: %.300s", method, route, b.site, err, text)
		}
	}
}

// content is what the test puts into a site and looks for again.
type content struct {
	post, media int
	imageURL    string
	image       []byte
	widget      string
}

// fill publishes a post with a block that holds the site's own URL, uploads an image and sets a widget, whose option is serialized.
func (b *browser) fill(mark string) content {
	b.t.Helper()
	c := content{image: png(mark)}
	var media struct {
		ID        int    `json:"id"`
		SourceURL string `json:"source_url"`
	}
	status, text := b.upload("marked-"+mark+".png", c.image)
	b.decode("POST", "/wp/v2/media", status, text, &media)
	c.media, c.imageURL = media.ID, media.SourceURL
	var post struct {
		ID int `json:"id"`
	}
	b.rest("POST", "/wp/v2/posts", map[string]any{
		"title": "Post of " + mark, "status": "publish",
		"content": fmt.Sprintf(`<!-- wp:image {"id":%d,"sizeSlug":"full","href":"%s"} --><figure class="wp-block-image"><img src="%s" alt="grüße"/></figure><!-- /wp:image -->`+
			`<!-- wp:paragraph --><p>mark %s <a href="%s/?page_id=2">here</a></p><!-- /wp:paragraph -->`,
			media.ID, b.site, media.SourceURL, mark, b.site),
	}, &post)
	c.post = post.ID
	var widget struct {
		ID string `json:"id"`
	}
	b.rest("POST", "/wp/v2/widgets", map[string]any{
		"id_base": "text", "sidebar": "wp_inactive_widgets",
		"instance": map[string]any{"raw": map[string]any{"title": "Wïdget", "text": "see " + b.site + "/wp-content and " + mark}},
	}, &widget)
	c.widget = widget.ID
	return c
}

func (b *browser) upload(name string, data []byte) (int, string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.site+"/index.php?rest_route=/wp/v2/media", bytes.NewReader(data))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "image/png")
	r.Header.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	r.Header.Set("X-WP-Nonce", b.nonce)
	answer, err := b.http.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, _ := io.ReadAll(answer.Body)
	return answer.StatusCode, string(text)
}

// check looks for the content at this site, which may be another than the one that it was put into: everything speaks of its own URL.
func (b *browser) check(c content, mark string) {
	b.t.Helper()
	page := b.get(fmt.Sprintf("/?p=%d", c.post))
	for _, want := range []string{"Post of " + mark, "mark " + mark, "grüße", b.site + "/wp-content/uploads/"} {
		if !strings.Contains(page, want) {
			b.t.Errorf("the post at %s does not hold %q", b.site, want)
		}
	}
	path := c.imageURL[strings.Index(c.imageURL, "/wp-content/"):]
	if image := b.get(path); image != string(c.image) {
		b.t.Errorf("the image at %s%s is %d bytes of something else", b.site, path, len(image))
	}
	var widget struct {
		Instance struct {
			Raw map[string]any `json:"raw"`
		} `json:"instance"`
	}
	b.rest("GET", "/wp/v2/widgets/"+c.widget+"&context=edit", nil, &widget)
	if text := fmt.Sprint(widget.Instance.Raw["text"]); text != "see "+b.site+"/wp-content and "+mark {
		b.t.Errorf("the widget at %s says %q", b.site, text)
	}
	if title := fmt.Sprint(widget.Instance.Raw["title"]); title != "Wïdget" {
		b.t.Errorf("the widget's title at %s is %q", b.site, title)
	}
}
