package release

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/klauspost/compress/zstd"
)

// maxWindow bounds the memory that a zstd archive can ask for.
const maxWindow = 128 << 20

// unpack tells the format by the archive's first bytes.
func (u *unpacker) unpack(archive *os.File) error {
	head := make([]byte, 512)
	n, err := archive.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return err
	}
	head = head[:n]
	counted := &countingReader{r: io.NewSectionReader(archive, 0, u.size)}
	switch {
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		r, err := gzip.NewReader(bufio.NewReaderSize(counted, 256<<10))
		if err != nil {
			return invalid("it is damaged: %v", err)
		}
		return u.tar(r, counted.count)
	case bytes.HasPrefix(head, []byte("\x28\xb5\x2f\xfd")):
		r, err := zstd.NewReader(counted, zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderConcurrency(1))
		if err != nil {
			return invalid("it is damaged: %v", err)
		}
		defer r.Close()
		return u.tar(r, counted.count)
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return u.zip(archive)
	case len(head) == 512 && string(head[257:262]) == "ustar":
		return u.tar(counted, counted.count)
	}
	return invalid("it is no .tar.gz, .tar.zst or .zip")
}

type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func (c *countingReader) count() int64 { return c.n }

func (u *unpacker) tar(r io.Reader, consumed func() int64) error {
	t := tar.NewReader(r)
	for {
		h, err := t.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return damaged("an entry's header", err)
		}
		if err := u.tarEntry(t, h, consumed); err != nil {
			return err
		}
		if err := u.bound(consumed()); err != nil {
			return err
		}
	}
	// What follows the end of the tar is read so that a damaged or cut compression is noticed by its own checksum.
	if _, err := io.Copy(io.Discard, io.LimitReader(r, 1<<20)); err != nil {
		return damaged("its end", err)
	}
	return nil
}

func (u *unpacker) tarEntry(t *tar.Reader, h *tar.Header, consumed func() int64) error {
	if h.Typeflag == tar.TypeXGlobalHeader {
		return nil
	}
	name, err := u.local(h.Name)
	if err != nil || name == "" {
		return err
	}
	switch h.Typeflag {
	case tar.TypeDir:
		return u.directory(name)
	case tar.TypeReg:
		return u.file(name, h.Mode&0o111 != 0, t, consumed)
	case tar.TypeSymlink:
		return u.symlink(name, h.Linkname)
	case tar.TypeLink:
		target, err := u.strip(h.Linkname)
		if err != nil {
			return err
		}
		if target == "" {
			return invalid("hard link %q leads to %q", name, h.Linkname)
		}
		return u.hardlink(name, target)
	}
	return invalid("%q is a device, pipe or something stranger", h.Name)
}

func (u *unpacker) zip(archive *os.File) error {
	z, err := zip.NewReader(archive, u.size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return invalid("it is damaged: %v", err)
	}
	var done int64
	for _, f := range z.File {
		name, err := u.local(f.Name)
		if err != nil {
			return err
		}
		done += int64(min(f.CompressedSize64, uint64(u.size)))
		if name == "" {
			continue
		}
		if err := u.zipEntry(f, name, func() int64 { return done }); err != nil {
			return err
		}
	}
	return nil
}

func (u *unpacker) zipEntry(f *zip.File, name string, consumed func() int64) error {
	mode := f.Mode()
	if mode.IsDir() {
		return u.directory(name)
	}
	if !mode.IsRegular() && mode.Type() != fs.ModeSymlink {
		return invalid("%q is a device, pipe or something stranger", f.Name)
	}
	r, err := f.Open()
	if err != nil {
		return damaged(f.Name, err)
	}
	defer r.Close()
	if mode.IsRegular() {
		return u.file(name, mode&0o111 != 0, r, consumed)
	}
	target, err := io.ReadAll(io.LimitReader(r, 4097))
	if err != nil || len(target) > 4096 {
		return invalid("symbolic link %q cannot be read: %v", f.Name, fmt.Sprint(err))
	}
	return u.symlink(name, string(target))
}
