package e2e

import (
	"bytes"
	"hash/fnv"
	"image"
	"image/color"
	pngformat "image/png"
)

// png is a small picture that depends on the mark alone.
func png(mark string) []byte {
	h := fnv.New32a()
	_, _ = h.Write([]byte(mark))
	m := image.NewRGBA(image.Rect(0, 0, 16, 16))
	for i := range 256 {
		m.Set(i%16, i/16, color.RGBA{R: byte(h.Sum32()), G: byte(h.Sum32() >> 8), B: byte(i), A: 255})
	}
	var b bytes.Buffer
	if err := pngformat.Encode(&b, m); err != nil {
		panic(err)
	}
	return b.Bytes()
}
