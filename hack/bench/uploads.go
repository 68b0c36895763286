package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// upload is a kind of file: of so many in a hundred, with so much text in a hundred bytes.
type upload struct {
	extension, head string
	share, text     int
}

// uploads are what WordPress' media libraries hold. Images are compressed, and so is most of a PDF.
var uploads = []upload{
	{extension: "jpg", head: "\xff\xd8\xff\xe0\x00\x10JFIF\x00", share: 78},
	{extension: "webp", head: "RIFF\x00\x00\x00\x00WEBPVP8 ", share: 8},
	{extension: "png", head: "\x89PNG\r\n\x1a\n", share: 5, text: 5},
	{extension: "pdf", head: "%PDF-1.7\n", share: 4, text: 30},
	{extension: "csv", share: 5, text: 100},
}

// makeUploads writes files of together total bytes, by month, a few large ones and many small ones.
func makeUploads(ctx context.Context, dir string, files int, total int64) error {
	a := newAuthor(2)
	files = max(files, 1)
	weights := make([]float64, files)
	var sum float64
	for i := range weights {
		weights[i] = math.Exp(a.NormFloat64())
		sum += weights[i]
	}
	for i, w := range weights {
		if err := ctx.Err(); err != nil {
			return err
		}
		month := filepath.Join(dir, fmt.Sprint(2018+i*7/files), fmt.Sprintf("%02d", 1+i*7*12/files%12))
		if err := os.MkdirAll(month, 0o750); err != nil {
			return err
		}
		kind := kindOf(a.IntN(100))
		name := filepath.Join(month, fmt.Sprintf("%s-%d.%s", a.slug(), i, kind.extension))
		if err := kind.write(name, int64(w/sum*float64(total)), uint64(i), a); err != nil {
			return fmt.Errorf("writing an upload: %w", err)
		}
	}
	return nil
}

func kindOf(percent int) upload {
	for _, u := range uploads {
		if percent -= u.share; percent < 0 {
			return u
		}
	}
	return uploads[0]
}

// write makes or replaces a file. The same number makes the same noise.
func (u upload) write(name string, size int64, number uint64, a *author) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	binary.LittleEndian.PutUint64(key[8:], number)
	if _, err := io.WriteString(f, u.head); err != nil {
		return err
	}
	written := int64(len(u.head))
	var words strings.Builder
	for written+int64(words.Len()) < size*int64(u.text)/100 {
		words.WriteString(a.sentences(1) + ";" + fmt.Sprint(a.IntN(10000)) + "\n")
	}
	if _, err := io.WriteString(f, words.String()); err != nil {
		return err
	}
	if rest := size - written - int64(words.Len()); rest > 0 {
		if _, err := io.CopyN(f, rand.NewChaCha8(key), rest); err != nil {
			return err
		}
	}
	return f.Close()
}
