package main

import (
	"fmt"
	"strings"
)

// What plugins and themes keep in options and metadata: arrays in PHP's serialized form, and JSON.

// text is a PHP string, whose length is in bytes.
func text(s string) string { return fmt.Sprintf(`s:%d:"%s";`, len(s), s) }

func integer(n int) string { return fmt.Sprintf("i:%d;", n) }

// array is a PHP array of the pairs, keys and values in turns.
func array(pairs ...string) string {
	return fmt.Sprintf("a:%d:{%s}", len(pairs)/2, strings.Join(pairs, ""))
}

// settings are what a plugin keeps: of about n entries, with a URL in one of five arrays.
func (a *author) settings(n int) string {
	var pairs []string
	addressed := a.once(5)
	// PHP keeps one entry for each key: an array that has one twice is no longer the same once PHP has read it.
	taken := map[string]bool{}
	for i := range max(1, n) {
		name := strings.ReplaceAll(a.slug(), "-", "_")
		if taken[name] {
			name += fmt.Sprintf("_%d", i)
		}
		taken[name] = true
		key := text(name)
		switch a.IntN(6) {
		case 0:
			pairs = append(pairs, key, integer(a.IntN(100000)))
		case 1:
			pairs = append(pairs, key, "b:1;")
		case 2:
			pairs = append(pairs, key, array(text("title"), text(a.phrase(4)), text("count"), integer(a.IntN(50))))
		case 3:
			value := a.sentences(1)
			if addressed {
				value = a.upload()
			}
			pairs = append(pairs, key, text(value))
		default:
			pairs = append(pairs, key, text(a.sentences(1+a.IntN(2))))
		}
	}
	return array(pairs...)
}

// image is what WordPress knows of an uploaded image.
func (a *author) image() string {
	var sizes []string
	for _, size := range []string{"thumbnail", "medium", "medium_large", "large"} {
		sizes = append(sizes, text(size), array(text("file"), text(a.slug()+".jpg"), text("width"), integer(150+a.IntN(900)),
			text("height"), integer(150+a.IntN(900)), text("mime-type"), text("image/jpeg"), text("filesize"), integer(a.IntN(200000))))
	}
	return array(text("width"), integer(1200+a.IntN(3000)), text("height"), integer(900+a.IntN(2000)), text("file"), text("2022/05/"+a.slug()+".jpg"),
		text("sizes"), array(sizes...))
}

// builder is a page as page builders keep it: JSON, in which a slash is written as \/.
func (a *author) builder() string {
	var b strings.Builder
	b.WriteByte('[')
	for i := range 4 + a.IntN(24) {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":"%07x","elType":"widget","settings":{"editor":"<p>%s<\/p>","align":"left","_margin":{"unit":"px","top":"%d"}`,
			a.IntN(1<<28), strings.ReplaceAll(a.sentences(2), `"`, `\"`), a.IntN(100))
		if a.once(4) {
			fmt.Fprintf(&b, `,"link":{"url":"%s","is_external":""}`, strings.ReplaceAll(a.link(), "/", `\/`))
		}
		b.WriteString(`},"elements":[],"widgetType":"text-editor"}`)
	}
	return b.String() + "]"
}
