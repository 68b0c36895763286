package repository

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kopia/kopia/fs"
	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/object"
	"github.com/kopia/kopia/snapshot"
	"github.com/kopia/kopia/snapshot/policy"
	"github.com/kopia/kopia/snapshot/snapshotfs"
)

// AssembleRequest says what a snapshot is of whose content does not lie in directories.
type AssembleRequest struct {
	Source      Source
	Description string
	// Tags are kept with the snapshot. Keys beginning with "sitewright-" are reserved.
	Tags map[string]string
	// Pending stores it out of sight until Confirm was called.
	Pending bool
}

// Content is something that an Assembler stored.
type Content struct {
	id object.ID
	// Size in bytes.
	Size int64
}

// Node is a file, directory or symbolic link of a snapshot that is assembled.
type Node struct {
	// Name within its directory: any bytes that a file name may have.
	Name string
	// Mode is the type (regular, directory or symbolic link) and the permission bits.
	Mode     os.FileMode
	ModTime  time.Time
	UID, GID uint32
	// Content of a file, or the target of a link.
	Content Content
	// Children of a directory, in any order.
	Children []*Node
}

// Assembly is what an assembled snapshot holds.
type Assembly struct {
	// Children of its top.
	Children []*Node
	// Streams is the number of files among them that are not the site's own, and DatabaseBytes how much of a dump they
	// hold; see Snapshot.
	Streams       int
	DatabaseBytes int64
}

// Assembler stores contents in the order in which they come. It is not safe for concurrent use.
type Assembler struct {
	w        repo.RepositoryWriter
	compress policy.CompressionPolicy
}

// Assemble makes a snapshot of what fill stores and arranges. Contents that fill stored and did not arrange are removed
// by maintenance. On error the repository is as before, but for blobs that maintenance would remove. The result is not
// verified: call Verify.
func (r *Repository) Assemble(ctx context.Context, req AssembleRequest, fill func(context.Context, *Assembler) (Assembly, error)) (Snapshot, error) {
	fail := func(err error) (Snapshot, error) {
		return Snapshot{}, fmt.Errorf("snapshot of %s/%s in %s: %w", req.Source.Namespace, req.Source.Name, r.options.Store, err)
	}
	if err := (SnapshotRequest{Source: req.Source, Tags: req.Tags, Final: func(context.Context) (Tree, error) { return Tree{}, nil }}).check(); err != nil {
		return fail(err)
	}
	before := r.blobs.sent()
	if err := r.refresh(ctx); err != nil {
		return fail(err)
	}
	ctx, w, err := r.direct.NewWriter(ctx, repo.WriteSessionOptions{Purpose: "snapshot"})
	if err != nil {
		return fail(err)
	}
	m, err := assemble(ctx, r, w, req, fill)
	if err = errors.Join(err, w.Close(ctx)); err != nil {
		return fail(err)
	}
	result := describe(m)
	after := r.blobs.sent()
	result.UploadedBytes, result.NewBlobs = after.bytes-before.bytes, after.blobs-before.blobs
	return result, nil
}

func assemble(ctx context.Context, r *Repository, w repo.RepositoryWriter, req AssembleRequest,
	fill func(context.Context, *Assembler) (Assembly, error)) (*snapshot.Manifest, error) {
	a := &Assembler{w: w, compress: compressionPolicy()}
	started := r.now()
	assembly, err := fill(ctx, a)
	if err != nil {
		return nil, err
	}
	root, err := a.dir(ctx, &Node{Name: "/", Mode: os.ModeDir | 0o755, ModTime: started, Children: assembly.Children})
	if err != nil {
		return nil, err
	}
	m := &snapshot.Manifest{
		Source: req.Source.info(), Description: req.Description, RootEntry: root,
		StartTime: fs.UTCTimestampFromTime(started), EndTime: fs.UTCTimestampFromTime(r.now()),
		Tags: map[string]string{
			tagPrefix + tagUID:      req.Source.UID,
			tagPrefix + tagDatabase: strconv.FormatInt(assembly.DatabaseBytes, 10),
			tagPrefix + tagStreams:  strconv.Itoa(assembly.Streams),
			tagPrefix + tagSkipped:  "0",
		},
		Pins: []string{owner},
	}
	for k, v := range req.Tags {
		m.Tags[tagPrefix+k] = v
	}
	if req.Pending {
		m.IncompleteReason = reasonPending
	}
	if _, err := snapshot.SaveSnapshot(ctx, w, m); err != nil {
		return nil, fmt.Errorf("store the manifest: %w", err)
	}
	if err := w.Flush(ctx); err != nil {
		return nil, fmt.Errorf("store the rest: %w", err)
	}
	return m, nil
}

// Store stores what r yields to its end. The name's extension decides whether it is worth compressing. Errors of r are
// returned as they are.
func (a *Assembler) Store(ctx context.Context, name string, r io.Reader) (Content, error) {
	o := a.w.NewObjectWriter(ctx, object.WriterOptions{
		Description: "FILE:" + encodeName(path.Base(name)), MetadataCompressor: compressor, AsyncWrites: 1,
		Compressor: a.compress.CompressorForFile(&entry{name: name}),
	})
	defer o.Close()
	read := &errorReader{r: r}
	n, err := io.Copy(struct{ io.Writer }{o}, read)
	if read.err != nil {
		return Content{}, read.err
	}
	if err != nil {
		return Content{}, fmt.Errorf("store %q: %w", name, err)
	}
	id, err := o.Result()
	if err != nil {
		return Content{}, fmt.Errorf("store %q: %w", name, err)
	}
	return Content{id: id, Size: n}, nil
}

// errorReader tells the reader's errors from the writer's.
type errorReader struct {
	r   io.Reader
	err error
}

func (e *errorReader) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		e.err = err
	}
	return n, err
}

// Open reads a content that was stored. The caller closes it.
func (a *Assembler) Open(ctx context.Context, c Content) (io.ReadCloser, error) {
	return openFile(ctx, a.w, &snapshot.DirEntry{Name: c.id.String(), ObjectID: c.id, FileSize: c.Size})
}

// dir stores a directory with all that is below it.
func (a *Assembler) dir(ctx context.Context, n *Node) (*snapshot.DirEntry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var b snapshotfs.DirManifestBuilder
	slices.SortFunc(n.Children, func(x, y *Node) int { return strings.Compare(x.Name, y.Name) })
	for i, c := range n.Children {
		if c.Name == "" || c.Name == "." || c.Name == ".." || len(c.Name) > 255 || strings.ContainsAny(c.Name, "/\x00") ||
			i > 0 && n.Children[i-1].Name == c.Name {
			return nil, fmt.Errorf("the name %q cannot be stored in directory %q", c.Name, n.Name)
		}
		e, err := a.node(ctx, c)
		if err != nil {
			return nil, err
		}
		b.AddEntry(e)
	}
	m := b.Build(fs.UTCTimestampFromTime(n.ModTime), "")
	id, err := snapshotfs.WriteDirManifest(ctx, a.w, "DIR:"+encodeName(n.Name), m, compressor)
	if err != nil {
		return nil, fmt.Errorf("store directory %q: %w", n.Name, err)
	}
	e := entryOf(n, snapshot.EntryTypeDirectory, id)
	e.DirSummary = m.Summary
	return e, nil
}

func (a *Assembler) node(ctx context.Context, n *Node) (*snapshot.DirEntry, error) {
	switch n.Mode.Type() {
	case os.ModeDir:
		return a.dir(ctx, n)
	case os.ModeSymlink:
		return entryOf(n, snapshot.EntryTypeSymlink, n.Content.id), nil
	case 0:
		return entryOf(n, snapshot.EntryTypeFile, n.Content.id), nil
	}
	return nil, fmt.Errorf("%q is neither file, directory nor link", n.Name)
}

func entryOf(n *Node, kind snapshot.EntryType, id object.ID) *snapshot.DirEntry {
	return &snapshot.DirEntry{
		Name: encodeName(n.Name), Type: kind, Permissions: snapshot.Permissions(n.Mode & fs.ModBits), FileSize: n.Content.Size,
		ModTime: fs.UTCTimestampFromTime(n.ModTime), UserID: n.UID, GroupID: n.GID, ObjectID: id,
	}
}
