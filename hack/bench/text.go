package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// author writes what people write on a site, always the same.
type author struct {
	*rand.Rand
	words []string
	zipf  *rand.Zipf
}

// newAuthor begins a stream of its own for each purpose: what one writes does not depend on the others.
func newAuthor(stream uint64) *author {
	a := &author{Rand: rand.New(rand.NewPCG(seed, stream)), words: vocabulary()}
	// As in languages, the second word is used half as often as the first, and so on.
	a.zipf = rand.NewZipf(a.Rand, 1.07, 2.7, uint64(len(a.words)-1))
	return a
}

// vocabulary is 8,000 words made of syllables, short ones first, some with letters beyond ASCII.
func vocabulary() []string {
	onsets := strings.Fields("b br c ch d dr f fl g gr h j k l m n p pl qu r s sh st t th tr v w y z")
	nuclei := strings.Fields("a a a e e e i i o o u ai ea ou ü é ö")
	codas := []string{"", "", "", "n", "r", "s", "t", "l", "m", "nd", "st", "ck", "ng"}
	r := rand.New(rand.NewPCG(seed, 0))
	seen := map[string]bool{}
	words := make([]string, 0, 8000)
	for len(words) < cap(words) {
		var w strings.Builder
		for range 1 + r.IntN(1+min(3, len(words)/400)) {
			w.WriteString(onsets[r.IntN(len(onsets))] + nuclei[r.IntN(len(nuclei))] + codas[r.IntN(len(codas))])
		}
		if !seen[w.String()] || len(words) < 100 {
			seen[w.String()] = true
			words = append(words, w.String())
		}
	}
	return words
}

func (a *author) word() string { return a.words[a.zipf.Uint64()] }

// phrase is n words, the first with a capital.
func (a *author) phrase(n int) string {
	var b strings.Builder
	for i := range n {
		w := a.word()
		if i > 0 {
			b.WriteByte(' ')
		} else if w[0] < 0x80 {
			w = strings.ToUpper(w[:1]) + w[1:]
		}
		b.WriteString(w)
	}
	return b.String()
}

// sentences are n of them, with the quotes and apostrophes that text has.
func (a *author) sentences(n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(a.phrase(4 + a.IntN(14)))
		switch a.IntN(12) {
		case 0:
			b.WriteString(", \"" + a.phrase(3) + "\"")
		case 1:
			b.WriteString(", it's " + a.word())
		}
		b.WriteString(".?!."[a.IntN(4):][:1])
	}
	return b.String()
}

// once is true in one of n cases.
func (a *author) once(n int) bool { return a.IntN(n) == 0 }

func (a *author) slug() string { return strings.ReplaceAll(strings.ToLower(a.phrase(4)), " ", "-") }

func (a *author) link() string { return siteURL + "/" + a.slug() + "/" }

func (a *author) upload() string {
	return fmt.Sprintf("%s/wp-content/uploads/%d/%02d/%s.jpg", siteURL, 2018+a.IntN(7), 1+a.IntN(12), a.slug())
}

// paragraph is a block of the block editor; one in six has a link, one in ten an image.
func (a *author) paragraph() string {
	switch n := a.IntN(30); {
	case n < 5:
		return fmt.Sprintf("<!-- wp:paragraph -->\n<p>%s <a href=\"%s\">%s</a> %s</p>\n<!-- /wp:paragraph -->\n\n",
			a.sentences(2), a.link(), a.phrase(3), a.sentences(2))
	case n < 8:
		return fmt.Sprintf("<!-- wp:image {\"id\":%d,\"sizeSlug\":\"large\"} -->\n<figure class=\"wp-block-image size-large\"><img src=\"%s\" alt=\"%s\"/>"+
			"</figure>\n<!-- /wp:image -->\n\n", a.IntN(100000), a.upload(), a.phrase(4))
	case n < 11:
		return fmt.Sprintf("<!-- wp:heading -->\n<h2 class=\"wp-block-heading\">%s</h2>\n<!-- /wp:heading -->\n\n", a.phrase(5))
	}
	return fmt.Sprintf("<!-- wp:paragraph -->\n<p>%s</p>\n<!-- /wp:paragraph -->\n\n", a.sentences(3+a.IntN(5)))
}
