package archive

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// IsDump tells a dump by a file's name: .sql or .sql.gz.
func (n *Node) IsDump() bool {
	lower := strings.ToLower(n.Name)
	return n.IsFile() && (strings.HasSuffix(lower, ".sql") || n.compressed())
}

func (n *Node) compressed() bool { return strings.HasSuffix(strings.ToLower(n.Name), ".sql.gz") }

// OpenDump reads a dump, decompressed. What is wrong with the compression is a Refusal.
func (t *Tree) OpenDump(ctx context.Context, n *Node) (io.ReadCloser, error) {
	r, err := t.Open(ctx, n)
	if err != nil || !n.compressed() {
		return r, err
	}
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, errors.Join(refuse(n.Name, "is damaged: %v", err), r.Close())
	}
	return &unzipped{z: z, node: n, stored: r}, nil
}

// Plain reports whether the dump is stored as it is to be loaded.
func (n *Node) Plain() bool { return !n.compressed() }

// unzipped is a compressed dump. It is bounded as an archive is.
type unzipped struct {
	z      *gzip.Reader
	node   *Node
	stored io.Closer
	out    int64
}

func (u *unzipped) Read(p []byte) (int, error) {
	n, err := u.z.Read(p)
	if u.out += int64(n); u.out > ratioFrom && u.out/maxRatio > u.node.Size {
		return 0, refuse(u.node.Name, "unpacks to more than %d times its size", maxRatio)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = refuse(u.node.Name, "is damaged: %v", err)
	}
	return n, err
}

func (u *unzipped) Close() error { return errors.Join(u.z.Close(), u.stored.Close()) }
