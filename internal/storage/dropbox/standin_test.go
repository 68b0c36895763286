package dropbox_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dropbox/dropbox-sdk-go-unofficial/v6/dropbox/contenthash"
)

const (
	appKey, appSecret = "app-key", "app-secret-do-not-print"
	refreshToken      = "refresh-token-do-not-print"
)

// standIn serves the part of Dropbox's HTTP API that the store uses, as its public documentation describes it: bearer
// tokens that expire, endpoint-specific errors with HTTP 409, names without case, upload sessions with offsets, pages
// of listings behind cursors.
type standIn struct {
	address string
	quota   int

	mu       sync.Mutex
	server   *http.Server
	tokens   map[string]time.Time
	files    map[string]file // by lower-case path
	sessions map[string][]byte
	cursors  map[string][]metadata
	refused  int           // requests that are answered with 429 before one is served
	after    int           // Retry-After of those, in seconds
	lose     string        // an endpoint whose next answer is lost after the work was done
	damage   bool          // the next upload arrives changed
	lifetime time.Duration // of tokens
	issued   int           // tokens so far
}

type file struct {
	path string
	data []byte
	time time.Time
}

type metadata struct {
	Tag      string `json:".tag"`
	Name     string `json:"name"`
	Lower    string `json:"path_lower"`
	Display  string `json:"path_display"`
	ID       string `json:"id"`
	Rev      string `json:"rev,omitempty"`
	Size     int    `json:"size"`
	Client   string `json:"client_modified,omitempty"`
	Server   string `json:"server_modified,omitempty"`
	Hash     string `json:"content_hash,omitempty"`
	Download bool   `json:"is_downloadable"`
}

func startStandIn(t *testing.T, quota int) *standIn {
	t.Helper()
	d := &standIn{quota: quota, tokens: map[string]time.Time{}, files: map[string]file{}, sessions: map[string][]byte{},
		cursors: map[string][]metadata{}, lifetime: 4 * time.Hour, address: "127.0.0.1:0"}
	d.start(t)
	t.Cleanup(d.kill)
	return d
}

func (d *standIn) url() string { return "http://" + d.address }

func (d *standIn) start(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp", d.address)
	if err != nil {
		t.Fatal(err)
	}
	d.address = l.Addr().String()
	d.server = &http.Server{Handler: d, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	go func(s *http.Server) { _ = s.Serve(l) }(d.server)
}

// kill drops all connections; what was uploaded is kept.
func (d *standIn) kill() { _ = d.server.Close() }

// fail answers as the documentation's "Errors" section says.
func fail(w http.ResponseWriter, status int, summary, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"error_summary": %q, "error": %s}`, summary+"/..", body)
}

func lookupFailed(w http.ResponseWriter, part, tag string) {
	fail(w, http.StatusConflict, part+"/"+tag, fmt.Sprintf(`{".tag": %q, %q: {".tag": %q}}`, part, part, tag))
}

func (d *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		http.Error(w, "only POST", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if r.URL.Path == "/oauth2/token" {
		d.issue(w, string(body), r.Header.Get("Content-Type"))
		return
	}
	if d.refused > 0 {
		d.refused--
		w.Header().Set("Retry-After", strconv.Itoa(d.after))
		fail(w, http.StatusTooManyRequests, "too_many_requests", `{"reason": {".tag": "too_many_requests"}, "retry_after": 1}`)
		return
	}
	ends, known := d.tokens[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	if !known || time.Now().After(ends) {
		tag := map[bool]string{true: "expired_access_token", false: "invalid_access_token"}[known]
		fail(w, http.StatusUnauthorized, tag, fmt.Sprintf(`{".tag": %q}`, tag))
		return
	}
	endpoint := strings.TrimPrefix(r.URL.Path, "/2/files/")
	if d.lose == endpoint {
		d.lose = ""
		d.serve(&discard{header: http.Header{}}, r, endpoint, body)
		panic(http.ErrAbortHandler)
	}
	d.serve(w, r, endpoint, body)
}

type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             {}

func (d *standIn) issue(w http.ResponseWriter, body, contentType string) {
	want := fmt.Sprintf("client_id=%s&client_secret=%s&grant_type=refresh_token&refresh_token=%s", appKey, appSecret, refreshToken)
	w.Header().Set("Content-Type", "application/json")
	if contentType != "application/x-www-form-urlencoded" || body != want {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error": "invalid_grant", "error_description": "refresh token is invalid or revoked"}`)
		return
	}
	token := rand.Text()
	d.issued++
	d.tokens[token] = time.Now().Add(d.lifetime)
	fmt.Fprintf(w, `{"access_token": %q, "token_type": "bearer", "expires_in": %d}`, token, int((4 * time.Hour).Seconds()))
}

type argument struct {
	Path      string `json:"path"`
	Recursive bool   `json:"recursive"`
	Limit     int    `json:"limit"`
	Cursor    any    `json:"cursor"`
	Hash      string `json:"content_hash"`
	Mode      struct {
		Tag string `json:".tag"`
	} `json:"mode"`
	Commit *argument `json:"commit"`
}

func (d *standIn) serve(w http.ResponseWriter, r *http.Request, endpoint string, body []byte) {
	text := r.Header.Get("Dropbox-API-Arg")
	for _, c := range []byte(text) {
		if c >= 0x7f {
			http.Error(w, "Error in call to API function: Dropbox-API-Arg is not ASCII", http.StatusBadRequest)
			return
		}
	}
	if text == "" {
		text = string(body)
	}
	var arg argument
	if err := json.Unmarshal([]byte(text), &arg); err != nil {
		http.Error(w, "Error in call to API function: "+err.Error(), http.StatusBadRequest)
		return
	}
	switch endpoint {
	case "get_metadata", "delete_v2":
		d.lookup(w, endpoint, arg)
	case "list_folder":
		d.list(w, arg)
	case "list_folder/continue":
		cursor, _ := arg.Cursor.(string)
		page, ok := d.cursors[cursor]
		if !ok {
			fail(w, http.StatusConflict, "reset", `{".tag": "reset"}`)
			return
		}
		d.page(w, page, 700)
	case "download":
		d.download(w, r, arg)
	case "upload":
		d.upload(w, arg, body, arg.Hash, func(tag string) string {
			return fmt.Sprintf(`{".tag": "path", "reason": {".tag": %q}, "upload_session_id": "x"}`, tag)
		})
	case "upload_session/start":
		id := rand.Text()
		d.sessions[id] = slices.Clone(body)
		reply(w, map[string]string{"session_id": id})
	case "upload_session/append_v2", "upload_session/finish":
		d.proceed(w, endpoint, arg, body)
	default:
		http.Error(w, "unknown API function", http.StatusBadRequest)
	}
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func describe(f file) metadata {
	h := contenthash.New()
	_, _ = h.Write(f.data)
	at := f.time.UTC().Format(time.RFC3339)
	return metadata{Tag: "file", Name: f.path[strings.LastIndexByte(f.path, '/')+1:], Lower: strings.ToLower(f.path), Display: f.path,
		ID: "id:x", Rev: "0123456789", Size: len(f.data), Client: at, Server: at, Hash: h.HexDigest(), Download: true}
}

// folder tells whether files lie below a path.
func (d *standIn) folder(path string) bool {
	for at := range d.files {
		if strings.HasPrefix(at, strings.ToLower(path)+"/") {
			return true
		}
	}
	return false
}

func (d *standIn) lookup(w http.ResponseWriter, endpoint string, arg argument) {
	part := map[string]string{"get_metadata": "path", "delete_v2": "path_lookup"}[endpoint]
	f, ok := d.files[strings.ToLower(arg.Path)]
	switch {
	case !ok && d.folder(arg.Path) && endpoint == "get_metadata":
		reply(w, metadata{Tag: "folder", Name: "x", Lower: strings.ToLower(arg.Path), Display: arg.Path, ID: "id:x"})
	case !ok:
		lookupFailed(w, part, "not_found")
	case endpoint == "delete_v2":
		delete(d.files, strings.ToLower(arg.Path))
		reply(w, map[string]metadata{"metadata": describe(f)})
	default:
		reply(w, describe(f))
	}
}

func (d *standIn) list(w http.ResponseWriter, arg argument) {
	if arg.Path == "/" {
		http.Error(w, "Error in call to API function: Specify the root folder as an empty string", http.StatusBadRequest)
		return
	}
	if !d.folder(arg.Path) && arg.Path != "" {
		lookupFailed(w, "path", "not_found")
		return
	}
	var all []metadata
	for at, f := range d.files {
		if rest, ok := strings.CutPrefix(at, strings.ToLower(arg.Path)+"/"); ok && (arg.Recursive || !strings.Contains(rest, "/")) {
			m := describe(file{path: f.path, time: f.time})
			m.Size = len(f.data)
			all = append(all, m)
		}
	}
	d.page(w, all, min(arg.Limit, 700))
}

// page gives fewer entries than were asked for, which the documentation allows.
func (d *standIn) page(w http.ResponseWriter, all []metadata, limit int) {
	n := min(len(all), limit)
	cursor := rand.Text()
	d.cursors[cursor] = all[n:]
	reply(w, map[string]any{"entries": all[:n:n], "cursor": cursor, "has_more": n < len(all)})
}

func (d *standIn) download(w http.ResponseWriter, r *http.Request, arg argument) {
	f, ok := d.files[strings.ToLower(arg.Path)]
	if !ok {
		lookupFailed(w, "path", "not_found")
		return
	}
	result, _ := json.Marshal(describe(f))
	w.Header().Set("Dropbox-API-Result", string(result))
	w.Header().Set("Content-Type", "application/octet-stream")
	r.Method = http.MethodGet // The library's ranges are for GET.
	d.mu.Unlock()
	defer d.mu.Lock()
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(f.data)))
}

func (d *standIn) upload(w http.ResponseWriter, arg argument, data []byte, hash string, refusal func(tag string) string) {
	if d.damage {
		d.damage = false
		data = append(slices.Clone(data), 'x')
	}
	f := file{path: arg.Path, data: slices.Clone(data), time: time.Now()}
	m := describe(f)
	used := len(data)
	for at, other := range d.files {
		if at != strings.ToLower(arg.Path) {
			used += len(other.data)
		}
	}
	switch {
	case hash != "" && hash != m.Hash:
		fail(w, http.StatusConflict, "content_hash_mismatch", `{".tag": "content_hash_mismatch"}`)
	case used > d.quota:
		fail(w, http.StatusConflict, "path/insufficient_space", refusal("insufficient_space"))
	case arg.Mode.Tag != "overwrite":
		fail(w, http.StatusConflict, "path/conflict", refusal("conflict"))
	default:
		d.files[strings.ToLower(arg.Path)] = f
		reply(w, m)
	}
}

func (d *standIn) proceed(w http.ResponseWriter, endpoint string, arg argument, body []byte) {
	cursor, _ := arg.Cursor.(map[string]any)
	id, _ := cursor["session_id"].(string)
	offset, _ := cursor["offset"].(float64)
	data, ok := d.sessions[id]
	finish := endpoint == "upload_session/finish"
	var problem string
	switch {
	case !ok:
		problem = `{".tag": "not_found"}`
	case int(offset) != len(data):
		problem = fmt.Sprintf(`{".tag": "incorrect_offset", "correct_offset": %d}`, len(data))
	}
	switch {
	case problem != "" && finish:
		fail(w, http.StatusConflict, "lookup_failed", fmt.Sprintf(`{".tag": "lookup_failed", "lookup_failed": %s}`, problem))
	case problem != "":
		fail(w, http.StatusConflict, "session", problem)
	case finish:
		delete(d.sessions, id)
		d.upload(w, *arg.Commit, append(data, body...), arg.Hash, func(tag string) string {
			return fmt.Sprintf(`{".tag": "path", "path": {".tag": %q}}`, tag)
		})
	default:
		d.sessions[id] = append(data, body...)
		fmt.Fprint(w, "null")
	}
}
