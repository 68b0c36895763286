package wire

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"
)

func post(contentType, query, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/installatron/index.cgi?"+query, strings.NewReader(body))
	r.Header.Del("Content-Type")
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return r
}

const multi = "--x\r\nContent-Disposition: form-data; name=\"cmd\"\r\n\r\nedit\r\n--x\r\nContent-Disposition: form-data; name=\"fields[a]\"\r\n\r\n1\r\n--x--\r\n"

func TestRead(t *testing.T) {
	form := "application/x-www-form-urlencoded"
	for name, c := range map[string]struct {
		r    *http.Request
		want Arguments
	}{
		"query":           {httptest.NewRequest(http.MethodGet, "/?api=json&cmd=installs&filter-ownedaccounts=", nil), Arguments{"api": {"json"}, "cmd": {"installs"}, "filter_ownedaccounts": {""}}},
		"split":           {post(form, "cmd=edit&id=1", "id=2&url=http%3A%2F%2Fa.test%2F"), Arguments{"cmd": {"edit"}, "id": {"2"}, "url": {"http://a.test/"}}},
		"brackets":        {post(form, "", "fields[sitetagline]=a+b&application[]=x&application[]=y"), Arguments{"fields[sitetagline]": {"a b"}, "application": {"x", "y"}}},
		"repeated":        {post(form, "application=x&application=y", ""), Arguments{"application": {"x", "y"}}},
		"multipart":       {post("multipart/form-data; boundary=x", "", multi), Arguments{"cmd": {"edit"}, "fields[a]": {"1"}}},
		"JSON, unsaid":    {post("", "", `{"cmd":"install","db_host":null,"login":false,"background":true,"autobk_daily":3,"big":12345678901234567890}`), Arguments{"cmd": {"install"}, "background": {"1"}, "autobk_daily": {"3"}, "big": {"12345678901234567890"}}},
		"JSON as form":    {post(form, "", ` {"application":["a","b"],"websites":[{"vhosts":[{"uri":"x"}]}],"fields":{"k":"v"}}`), Arguments{"application": {"a", "b"}, "websites[vhosts][uri]": {"x"}, "fields[k]": {"v"}}},
		"older spellings": {post(form, "", "db-host=h&DB_NAME=n"), Arguments{"db_host": {"h"}, "db_name": {"n"}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Read(httptest.NewRecorder(), c.r)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %v, not %v", got, c.want)
			}
		})
	}
}

func TestReadRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		contentType, body, says string
	}{
		"too long":        {"", strings.Repeat("a", MostBody+1), "longer than 1 MiB"},
		"no JSON":         {"", "{", "not a JSON object"},
		"a list":          {"application/json", "[]", "not a JSON object"},
		"two objects":     {"", `{} {}`, "follows the JSON object"},
		"too deep":        {"", `{"a":` + strings.Repeat(`{"a":`, 20) + "1" + strings.Repeat("}", 21), "too deeply"},
		"too many":        {"", strings.Repeat("a=1&", mostArguments+1), "more than 1000"},
		"a long name":     {"", strings.Repeat("n", 300) + "=1", "longer than 256"},
		"no encoding":     {"", "a=%zz", "not URL-encoded"},
		"half a form":     {"multipart/form-data; boundary=x", multi[:60], "multipart form"},
		"without a bound": {"multipart/form-data", multi, "multipart form"},
	} {
		_, err := Read(httptest.NewRecorder(), post(c.contentType, "", c.body))
		if _, ok := errors.AsType[*Error](err); !ok || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCredentials(t *testing.T) {
	for name, c := range map[string]struct {
		header, value, query string
		want                 Credentials
	}{
		"basic":           {"Authorization", "Basic dXNlcjpwYXNz", "", Credentials{"user", "pass"}},
		"bearer":          {"Authorization", "Bearer t", "key=k", Credentials{"", "t"}},
		"WHM":             {"Authorization", "WHM root:token", "", Credentials{"", "token"}},
		"X-API-KEY":       {"X-Api-Key", "k", "", Credentials{"", "k"}},
		"key":             {"", "", "key=k&user=acme", Credentials{"", "k"}},
		"password":        {"", "", "cp-username=u&cp-password=p", Credentials{"u", "p"}},
		"only a cookie":   {"Cookie", "session=1", "", Credentials{}},
		"an unknown kind": {"Authorization", "Digest username=x", "", Credentials{}},
	} {
		r := httptest.NewRequest(http.MethodGet, "/?"+c.query, nil)
		if c.header != "" {
			r.Header.Set(c.header, c.value)
		}
		arguments, err := Read(nil, r)
		if err != nil {
			t.Fatal(err)
		}
		if got := ReadCredentials(r, arguments); got != c.want {
			t.Errorf("%s: %+v, not %+v", name, got, c.want)
		}
		for _, secret := range []string{"key", "cp_username", "cp_password"} {
			if _, left := arguments[secret]; left {
				t.Errorf("%s: %s is still among the arguments", name, secret)
			}
		}
	}
}

func TestReply(t *testing.T) {
	for want, reply := range map[string]Reply{
		`{"result":true,"message":"The task is complete.\n","errcode":null,"errfield":null,"data":[]}` + "\n": Succeeded([]string{}, nil),
		`{"result":false,"message":"Error: Missing argument: application\n","errcode":"empty_argument_application","errfield":"application","data":null}` + "\n": Failure(
			Empty("application")),
		`{"result":false,"message":"Error: Something went wrong on the server; its log says what\n","errcode":"internal_error","errfield":null,"data":null}` + "\n": Failure(
			errors.New("secret")),
	} {
		w := httptest.NewRecorder()
		Write(w, http.StatusNotFound, reply)
		if w.Body.String() != want || w.Code != http.StatusOK {
			t.Errorf("%d %s, not %s", w.Code, w.Body, want)
		}
	}
}

// serve answers over a real connection with what it read, and says how many requests a connection brought.
func serve(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{
		ReadHeaderTimeout: 300 * time.Millisecond, MaxHeaderBytes: 16 << 10,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			arguments, err := Read(w, r)
			fmt.Fprint(w, arguments, ReadCredentials(r, arguments), err)
		}),
	}
	go func() { _ = server.Serve(Listen(l)) }()
	t.Cleanup(func() { server.Close() })
	return l.Addr().String()
}

// send writes bytes as they are and returns the answers to them until the server closes, or has nothing more to say.
func send(t *testing.T, address string, parts ...string) []string {
	t.Helper()
	c, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, part := range parts {
		if _, err := io.WriteString(c, part); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err := c.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	var answers []string
	r := bufio.NewReader(c)
	for {
		response, err := http.ReadResponse(r, nil)
		if err != nil {
			return answers
		}
		body, _ := io.ReadAll(response.Body)
		response.Body.Close()
		answers = append(answers, fmt.Sprint(response.StatusCode, " ", string(bytes.TrimSpace(body))))
	}
}

func TestMalformedHead(t *testing.T) {
	const host, basic = "Host: a\r\n", "Authorization: Basic dXNlcjpwYXNz"
	address := serve(t)
	read := func(arguments string) string { return "200 map[" + arguments + "] {user pass} <nil>" }
	for name, c := range map[string]struct {
		parts []string
		want  []string
	}{
		"well-formed, kept alive": {[]string{"GET /?a=1 HTTP/1.1\r\n" + host + basic + "\r\n\r\n", "GET /?a=2 HTTP/1.1\r\n" + host + basic + "\r\n\r\n"},
			[]string{read("a:[1]"), read("a:[2]")}},
		"at the end":       {[]string{"GET /?a=1 HTTP/1.1\r\n" + host + basic + "\n\r\r\n\r\n"}, []string{read("a:[1]")}},
		"in the middle":    {[]string{"POST / HTTP/1.1\r\n" + host + basic + "\n\r\r\nContent-Length: 3\r\n\r\na=1"}, []string{read("a:[1]")}},
		"before a header":  {[]string{"POST / HTTP/1.1\r\n" + basic + "\n\r" + host + "Content-Length: 3\r\n\r\na=1"}, []string{read("a:[1]")}},
		"in pieces":        {[]string{"GET /?a=1 HTT", "P/1.1\r\n" + host + basic + "\n", "\r", "\r\n\r", "\n"}, []string{read("a:[1]")}},
		"only line feeds":  {[]string{"GET /?a=1 HTTP/1.1\nHost: a\n" + basic + "\n\n"}, []string{read("a:[1]")}},
		"expects":          {[]string{"POST / HTTP/1.1\r\n" + host + basic + "\n\r\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n", "a=1"}, []string{"100 ", read("a:[1]")}},
		"nothing smuggled": {[]string{"GET /?a=1 HTTP/1.1\r\n" + host + basic + "\n\r\r\n\r\nGET /?a=2 HTTP/1.1\r\n" + host + "\r\n"}, []string{read("a:[1]")}},
		"hidden chunks":    {[]string{"POST / HTTP/1.1\r\n" + host + "Content-Length: 3\n\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"}, []string{"400 400 Bad Request"}},
		"two lengths":      {[]string{"POST / HTTP/1.1\r\n" + host + basic + "\n\r\r\nContent-Length: 3\r\nContent-Length: 9\r\n\r\na=1"}, []string{"400 400 Bad Request"}},
		"endless":          {[]string{"GET / HTTP/1.1\r\nX: " + strings.Repeat("y", MostHeader+1)}, []string{"431 431 Request Header Fields Too Large"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := send(t, address, c.parts...)
			if len(got) != len(c.want) {
				t.Fatalf("%d answers: %q, not %q", len(got), got, c.want)
			}
			for i := range got {
				if !strings.HasPrefix(got[i], c.want[i]) {
					t.Errorf("answer %d is %q, not %q", i, got[i], c.want[i])
				}
			}
		})
	}
}

// TestSlowHead: a head that never ends costs no more than the server's own limit of time.
func TestSlowHead(t *testing.T) {
	address := serve(t)
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	c, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n"); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(3 * time.Second))
	if _, err := io.ReadAll(c); err != nil || time.Since(began) > 2*time.Second {
		t.Errorf("the connection was open for %s: %v", time.Since(began), err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("application/json", `{"a":[1,{"b":null}]}`)
	f.Add("", "a[b][0]=1&a[]=&=&[")
	f.Add("multipart/form-data; boundary=x", multi)
	f.Fuzz(func(t *testing.T, contentType, body string) {
		arguments, err := Read(httptest.NewRecorder(), post(contentType, "", body))
		if err != nil {
			if _, ok := errors.AsType[*Error](err); !ok {
				t.Fatalf("%v tells nobody anything", err)
			}
			return
		}
		if arguments.count() > mostArguments {
			t.Fatalf("%d arguments", arguments.count())
		}
		for name, values := range arguments {
			if len(values) == 0 || len(name) > mostName {
				t.Fatalf("%q has %d values", name, len(values))
			}
			if got, ok := arguments.Get(name); ok && got != values[len(values)-1] {
				t.Fatalf("%q is %q, not the last of %q", name, got, values)
			}
		}
	})
}

func FuzzMend(f *testing.F) {
	f.Add([]byte("GET / HTTP/1.1\r\nA: b\n\r\r\nC: d\r\n\r\nbody"))
	f.Fuzz(func(t *testing.T, text []byte) {
		mended, done := mend(text)
		if !done {
			return
		}
		// Once mended there is nothing left to mend, and the body is the same to the byte.
		again, done := mend(mended)
		if !done || !bytes.Equal(again, mended) {
			t.Fatalf("%q becomes %q, then %q", text, mended, again)
		}
	})
}
