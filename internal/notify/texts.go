package notify

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"text/template"
)

// Data is what a text may speak of. Whatever comes from a site is its owner's, and stays text.
type Data struct {
	// Namespace and Install name the site, Title is its title, or its name where it has none, and URL where it is.
	Namespace, Install, Title, URL string
	// Application is the application's name, such as WordPress, and Version the one that serves.
	Application, Version string
	// AdminURL is where its administrator Login logs in; both may be empty.
	AdminURL, Login string
	// Kind and Name are the object that this is about, and Message is what its Ready condition says.
	Kind, Name, Message string
	// Latest is the version that the site can be upgraded to.
	Latest string
	// Components are plugins and themes of which there is something newer: "akismet 5.3 (5.5 is to be had)".
	Components []string
	// To is the URL of a copy.
	To string
}

// builtIn are the texts of the program.
//
//go:embed texts
var builtIn embed.FS

// Texts are the templates of mails, by the name of the event: the first line is the subject, after an empty one comes the text.
type Texts struct{ templates map[string]*template.Template }

// maxText bounds a template's file.
const maxText = 64 << 10

// LoadTexts reads the built-in templates, and those in a directory, which take their place: a file is named for its event, such as install.txt. An empty
// directory name means none. Each is tried once, so that what is wrong with it shows here.
func LoadTexts(dir string) (*Texts, error) {
	t := &Texts{templates: map[string]*template.Template{}}
	texts, err := fs.Sub(builtIn, "texts")
	if err != nil {
		return nil, err
	}
	if err := t.load(texts); err != nil || dir == "" {
		return t, err
	}
	known := len(t.templates)
	if err := t.load(os.DirFS(dir)); err != nil {
		return nil, fmt.Errorf("mail: texts in %s: %w", dir, err)
	}
	if len(t.templates) > known {
		return nil, fmt.Errorf("mail: texts in %s: some are of no event", dir)
	}
	return t, nil
}

func (t *Texts) load(from fs.FS) error {
	files, err := fs.Glob(from, "*.txt")
	if err != nil {
		return err
	}
	for _, name := range files {
		content, err := fs.ReadFile(from, name)
		if err != nil {
			return err
		}
		if len(content) > maxText {
			return fmt.Errorf("%s is larger than 64 KiB", name)
		}
		event := strings.TrimSuffix(path.Base(name), ".txt")
		made, err := template.New(event).Parse(strings.ReplaceAll(string(content), "\r\n", "\n"))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		t.templates[event] = made
		if _, _, err := t.Write(event, Data{}); err != nil {
			return err
		}
	}
	return nil
}

// Events are those that there is a text for, in order.
func (t *Texts) Events() []string { return slices.Sorted(maps.Keys(t.templates)) }

// Write makes the subject and the text of an event's mail.
func (t *Texts) Write(event string, d Data) (subject, text string, err error) {
	made := t.templates[event]
	if made == nil {
		return "", "", fmt.Errorf("there is no text for event %s", event)
	}
	d.Title, d.URL, d.Message, d.To = oneLine(d.Title), oneLine(d.URL), oneLine(d.Message), oneLine(d.To)
	var b bytes.Buffer
	if err := made.Execute(&b, d); err != nil {
		return "", "", err
	}
	subject, text, ok := strings.Cut(b.String(), "\n\n")
	if !ok || strings.Contains(subject, "\n") {
		return "", "", errors.New(event + ".txt: the first line must be the subject, and the second empty")
	}
	return subject, text, nil
}
