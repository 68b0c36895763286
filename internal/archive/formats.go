package archive

import (
	"archive/tar"
	"archive/zip"
	"cmp"
	"errors"
	"io"
	"io/fs"
	"math"
)

// counted counts what comes out of a decompression, and bounds it: headers, holes and padding included.
type counted struct {
	*reader
	r io.Reader
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.out += int64(n)
	if boundErr := c.bound(""); boundErr != nil {
		return 0, boundErr
	}
	return n, err
}

func (r *reader) tar(plain io.Reader) error {
	c := &counted{r, plain}
	t := tar.NewReader(c)
	last := ""
	for {
		before := r.out
		h, err := t.Next()
		if err == io.EOF {
			// Less than a block can only be the padding of the last entry: the blocks of zeros that end a tar are missing.
			if r.out-before < 512 {
				return refuse(last, "is the last one before the archive is cut off")
			}
			break
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return r.damaged(last, err)
		}
		last = h.Name
		if err := r.tarEntry(t, h); err != nil {
			return err
		}
	}
	// What follows is read so that a damaged or cut compression is noticed by its own checksum.
	if _, err := io.Copy(io.Discard, c); err != nil {
		return r.damaged("", err)
	}
	return nil
}

func (r *reader) tarEntry(t *tar.Reader, h *tar.Header) error {
	name, err := r.begin(h.Name)
	if err != nil || h.Typeflag == tar.TypeXGlobalHeader {
		return err
	}
	e := &Entry{Name: name, Mode: h.FileInfo().Mode(), ModTime: sane(h.ModTime), UID: h.Uid, GID: h.Gid}
	switch h.Typeflag {
	case tar.TypeDir:
		e.Mode = permission(e.Mode) | fs.ModeDir
	case tar.TypeReg, tar.TypeGNUSparse, tar.TypeCont:
		e.Mode = permission(e.Mode)
	case tar.TypeSymlink:
		if len(h.Linkname) > maxName {
			return refuse(h.Name, "is a symbolic link of %d bytes", len(h.Linkname))
		}
		e.Mode, e.Link = permission(e.Mode)|fs.ModeSymlink, h.Linkname
	case tar.TypeLink:
		e.Mode = permission(e.Mode)
		if e.Same, err = clean(h.Linkname, r.limits.RawNames); err != nil || e.Same == "" {
			return refuse(h.Name, "is a hard link that leads out, to %q", shorten(h.Linkname))
		}
	default:
		return refuse(h.Name, "is a device, pipe or something stranger")
	}
	if e.Name == "" && !e.Mode.IsDir() {
		return refuse(h.Name, "has no name")
	}
	return r.offer(e, h.Name, t)
}

// permission keeps the bits that chmod sets.
func permission(m fs.FileMode) fs.FileMode {
	return m & (fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky)
}

func (r *reader) zip() error {
	if r.source.Size < 0 {
		return refuseAll("a .zip is read from its end, so it cannot come from a pipe: put it into a file, or make it a .tar.gz")
	}
	w := &window{ctx: r.ctx, source: r.source, left: maxDirectory}
	z, err := zip.NewReader(w, r.source.Size)
	switch {
	case w.err != nil:
		return w.err
	case errors.Is(err, errTooMuch):
		return refuseAll("its table of contents is larger than %d MiB: make it a .tar.gz", maxDirectory>>20)
	case err != nil && !errors.Is(err, zip.ErrInsecurePath):
		return refuseAll("it is damaged: %v", err)
	}
	w.left = math.MaxInt64
	for _, f := range z.File {
		r.used += int64(min(f.CompressedSize64, uint64(r.source.Size))) + 1
		if err := r.zipEntry(f); err != nil {
			return cmp.Or(w.err, err)
		}
	}
	return nil
}

func (r *reader) zipEntry(f *zip.File) error {
	name, err := r.begin(f.Name)
	if err != nil {
		return err
	}
	mode := f.Mode()
	e := &Entry{Name: name, Mode: permission(mode) | mode.Type(), ModTime: sane(f.Modified)}
	switch {
	case mode.IsDir():
		return r.offer(e, f.Name, nil)
	case !mode.IsRegular() && mode.Type() != fs.ModeSymlink:
		return refuse(f.Name, "is a device, pipe or something stranger")
	case f.Flags&1 != 0:
		return refuse(f.Name, "is encrypted: make the archive without a password")
	case e.Name == "":
		return refuse(f.Name, "has no name")
	}
	content, err := f.Open()
	if err != nil {
		return r.damaged(f.Name, err)
	}
	defer content.Close()
	if mode.IsRegular() {
		return r.offer(e, f.Name, content)
	}
	target, err := io.ReadAll(io.LimitReader(&file{reader: r, entry: f.Name, r: content}, maxName+1))
	if err != nil {
		return err
	}
	if len(target) > maxName {
		return refuse(f.Name, "is a symbolic link of more than %d bytes", maxName)
	}
	e.Link = string(target)
	return r.offer(e, f.Name, nil)
}
