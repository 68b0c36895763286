package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
)

// Read reads the arguments of a request from its query and its body: a form, a multipart form, or JSON, which many clients send without saying
// so. Its errors are of the type Error.
func Read(w http.ResponseWriter, r *http.Request) (Arguments, error) {
	arguments := Arguments{}
	if err := readForm(arguments, r.URL.RawQuery); err != nil {
		return nil, err
	}
	if r.Method != http.MethodPost {
		return arguments, nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MostBody))
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return nil, Invalid("", "the request's body is longer than 1 MiB")
		}
		return nil, Invalid("", "the request's body could not be read")
	}
	given := Arguments{}
	if err := readBody(given, r.Header.Get("Content-Type"), body); err != nil {
		return nil, err
	}
	arguments.merge(given)
	return arguments, nil
}

func readBody(into Arguments, contentType string, body []byte) error {
	kind, parameters, err := mime.ParseMediaType(contentType)
	if err != nil {
		kind = ""
	}
	body = bytes.TrimSpace(body)
	switch {
	case len(body) == 0:
		return nil
	case kind == "multipart/form-data":
		return readMultipart(into, multipart.NewReader(bytes.NewReader(body), parameters["boundary"]))
	case kind == "application/json" || body[0] == '{':
		return readJSON(into, body)
	}
	return readForm(into, string(body))
}

func readForm(into Arguments, text string) error {
	for pair := range strings.SplitSeq(text, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		if err == nil {
			value, err = url.QueryUnescape(value)
		}
		if err != nil {
			return Invalid("", "an argument is not URL-encoded")
		}
		if err := into.add(name, value); err != nil {
			return err
		}
	}
	return nil
}

func readMultipart(into Arguments, form *multipart.Reader) error {
	for {
		part, err := form.NextPart()
		if err == io.EOF { //nolint:errorlint // What wraps it is an end in the middle.
			return nil
		}
		if err != nil {
			return Invalid("", "the multipart form cannot be read")
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return Invalid("", "the multipart form ends too early")
		}
		if err := into.add(part.FormName(), string(value)); err != nil {
			return err
		}
	}
}

func readJSON(into Arguments, body []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var document map[string]any
	if err := decoder.Decode(&document); err != nil {
		return Invalid("", "the request's body is not a JSON object")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Invalid("", "something follows the JSON object in the request's body")
	}
	for name, value := range document {
		if err := flatten(into, name, value, mostDepth); err != nil {
			return err
		}
	}
	return nil
}

// flatten gives a JSON value the names that a form would have. What is null or false is absent: JSON clients send every argument that they know.
func flatten(into Arguments, name string, value any, depth int) error {
	if depth == 0 {
		return Invalid("", "the JSON object is nested too deeply")
	}
	switch v := value.(type) {
	case string:
		return into.add(name, v)
	case json.Number:
		return into.add(name, v.String())
	case bool:
		if v {
			return into.add(name, "1")
		}
	case []any:
		for _, element := range v {
			if err := flatten(into, name, element, depth-1); err != nil {
				return err
			}
		}
	case map[string]any:
		for key, entry := range v {
			if err := flatten(into, name+"["+key+"]", entry, depth-1); err != nil {
				return err
			}
		}
	}
	return nil
}
