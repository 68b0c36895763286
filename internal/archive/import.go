package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/sitewright/sitewright/internal/repository"
)

// What a snapshot holds, and an archive of it: files/www, files/data, database/<part>.sql (database.sql in an archive)
// and the manifest.
const (
	FilesDir     = "files"
	DatabaseDir  = "database"
	ManifestName = "manifest.json"
	// DumpName is the dump in an archive: all parts, in their order, which the stock client loads.
	DumpName = "database.sql"
	// indexName tells where in the dump the parts are.
	indexName = "database.index.json"
)

// MaxManifest bounds the size of a manifest that is read.
const MaxManifest = 4 << 20

// Request says what an archive becomes.
type Request struct {
	// Source is the site that the snapshot is filed under.
	Source repository.Source
	// Description and Tags are kept with the snapshot.
	Description string
	Tags        map[string]string
	// Pending stores the snapshot out of sight until it was verified and confirmed.
	Pending bool
	// Limits of what is read. Without Bytes, maxImport: nothing of it goes to a disk of this machine.
	Limits Limits
}

// maxImport is how much an archive may unpack to unless told otherwise.
const maxImport = 1 << 40

// Layout says which parts of an archive make the site.
type Layout struct {
	// Files become files/<name>: www and data. A nil node makes an empty directory.
	Files map[string]*Node
	// Owner, unless nil, owns all files, for archives whose numbers mean nothing here.
	Owner *Owner
	// Dump holds the parts of the dump.
	Dump []Part
	// Manifest is the content of manifest.json.
	Manifest []byte
}

// Owner is a user and a group, by number.
type Owner struct{ UID, GID uint32 }

// Import makes a snapshot of an archive. What is in the archive is stored as it is read; then arrange decides what of it
// makes the site. Errors name the archive; what is wrong with it is ErrInvalid. The snapshot is not verified.
func Import(ctx context.Context, r *repository.Repository, source Source, req Request,
	arrange func(context.Context, *Tree) (*Layout, error)) (repository.Snapshot, error) {
	if req.Limits.Bytes == 0 {
		req.Limits.Bytes = maxImport
	}
	assemble := repository.AssembleRequest{Source: req.Source, Description: req.Description, Tags: req.Tags, Pending: req.Pending}
	return r.Assemble(ctx, assemble, func(ctx context.Context, store *repository.Assembler) (repository.Assembly, error) {
		t := &Tree{Top: newDir("", true), Name: source.Name, store: store}
		if err := t.fill(ctx, source, req.Limits); err != nil {
			return repository.Assembly{}, err
		}
		layout, err := arrange(ctx, t)
		if err != nil {
			return repository.Assembly{}, fmt.Errorf("archive %s: %w", source.Name, err)
		}
		a, err := t.assembly(ctx, layout)
		if err != nil {
			return repository.Assembly{}, fmt.Errorf("archive %s: %w", source.Name, err)
		}
		return a, nil
	})
}

// assembly stores what the layout makes anew and puts everything in its place.
func (t *Tree) assembly(ctx context.Context, l *Layout) (repository.Assembly, error) {
	var a repository.Assembly
	now := time.Now()
	dir := func(name string) *repository.Node {
		return &repository.Node{Name: name, Mode: fs.ModeDir | 0o755, ModTime: now}
	}
	a.Children = append(a.Children, l.files(dir))
	if len(l.Dump) > 0 {
		dump := dir(DatabaseDir)
		for _, p := range l.Dump {
			a.DatabaseBytes += p.content.Size
			dump.Children = append(dump.Children, &repository.Node{Name: p.Name, Mode: 0o644, ModTime: now, Content: p.content})
		}
		a.Children = append(a.Children, dump)
	}
	manifest, err := t.store.Store(ctx, ManifestName, bytes.NewReader(l.Manifest))
	if err != nil {
		return a, err
	}
	a.Children = append(a.Children, &repository.Node{Name: ManifestName, Mode: 0o644, ModTime: now, Content: manifest})
	a.Streams = len(l.Dump) + 1
	return a, nil
}

// files is the directory of files.
func (l *Layout) files(dir func(string) *repository.Node) *repository.Node {
	files := dir(FilesDir)
	for name, n := range l.Files {
		if n == nil {
			files.Children = append(files.Children, dir(name))
			continue
		}
		files.Children = append(files.Children, n.stored(name))
	}
	if l.Owner != nil {
		own(files, *l.Owner)
	}
	return files
}

func own(n *repository.Node, o Owner) {
	n.UID, n.GID = o.UID, o.GID
	for _, c := range n.Children {
		own(c, o)
	}
}

// Part is one piece of a dump.
type Part struct {
	// Name is a file name; parts are loaded in the order of their names.
	Name    string
	content repository.Content
}

// StorePart stores a part of a dump.
func (t *Tree) StorePart(ctx context.Context, name string, r io.Reader) (Part, error) {
	c, err := t.store.Store(ctx, name, r)
	return Part{name, c}, err
}

// ReadPart reads a part of a dump.
func (t *Tree) ReadPart(ctx context.Context, p Part) (io.ReadCloser, error) {
	return t.store.Open(ctx, p.content)
}

// PartOf makes a part of a file of the archive, as it is.
func (n *Node) PartOf(name string) Part { return Part{name, n.content} }

var errNoIndex = errors.New("the index does not fit the dump")
