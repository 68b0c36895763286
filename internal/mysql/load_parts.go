package mysql

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"sync"
)

const (
	// schemaPart is the part that makes the tables.
	schemaPart = "000-schema.sql"
	// tablePart begins the names of parts that hold one table's rows.
	tablePart = "100-table-"
)

// Source is a part of a dump which LoadParts is to load.
type Source struct {
	// Name is the Part's name, with or without a directory before it. Parts are loaded in the order of their names,
	// those that hold rows at the same time.
	Name string
	// Size is how many bytes of script are expected, or an estimate, so that the largest can begin first. 0 is allowed.
	Size int64
	// Open begins to read the part. It is called once, for no more parts at a time than there are workers.
	Open func(ctx context.Context) (io.ReadCloser, error)

	// fill, if set, adds rows to a table by other means, before those of the part, and returns the table's name.
	fill func(ctx context.Context) (table string, err error)
}

// LoadParts loads the parts of a dump, those with rows over several sessions. Definitions come first, then rows and each
// table's secondary keys, then foreign keys, then routines, views, triggers and events. A part is judged as Load judges a
// script, and a part that was cut off (it does not end with "-- Dump completed") is an error, ErrTruncated. The stats are
// those of all parts together. Memory is bounded by the longest statement times the workers.
//
// After an error, or when ctx ends, what was loaded stays and tables may lack keys: Clear the database and load again.
func LoadParts(ctx context.Context, config Config, sources []Source, options LoadOptions) (stats LoadStats, err error) {
	p := newPartsLoader(config, options)
	defer func() { err = errors.Join(err, p.end()) }()
	if err := p.load(ctx, sources); err != nil {
		return p.stats, fmt.Errorf("load %s: %w", config, err)
	}
	return p.stats, nil
}

func newPartsLoader(config Config, options LoadOptions) *partsLoader {
	if options.Workers <= 0 {
		options.Workers = defaultWorkers
	}
	return &partsLoader{config: config, options: options, keys: newLateKeys(), progress: partsProgress{report: options.Progress},
		stats: LoadStats{Complete: true}}
}

// load loads all parts in their order.
func (p *partsLoader) load(ctx context.Context, sources []Source) error {
	sources = slices.SortedFunc(slices.Values(sources), func(a, b Source) int {
		return cmp.Compare(path.Base(a.Name), path.Base(b.Name))
	})
	begin := slices.IndexFunc(sources, Source.holdsRows)
	if begin < 0 {
		begin = len(sources)
	}
	end := begin
	for end < len(sources) && sources[end].holdsRows() {
		end++
	}
	rows := sources[begin:end]
	slices.SortStableFunc(rows, func(a, b Source) int { return cmp.Compare(b.Size, a.Size) })
	if err := p.run(ctx, sources[:begin], 1); err != nil {
		return err
	}
	if err := p.run(ctx, rows, p.options.Workers); err != nil {
		return err
	}
	if err := p.addKeys(ctx); err != nil {
		return err
	}
	return p.run(ctx, sources[end:], 1)
}

func (s Source) holdsRows() bool { return strings.HasPrefix(path.Base(s.Name), tablePart) }

// partsLoader loads parts over sessions that it keeps.
type partsLoader struct {
	config   Config
	options  LoadOptions
	keys     *lateKeys
	progress partsProgress

	mu    sync.Mutex
	idle  []*loader
	stats LoadStats
}

// run loads parts, so many at a time. The first error ends the others.
func (p *partsLoader) run(ctx context.Context, sources []Source, workers int) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue := make(chan Source, len(sources))
	for _, s := range sources {
		queue <- s
	}
	close(queue)
	var group sync.WaitGroup
	for range min(workers, len(sources)) {
		group.Go(func() {
			for s := range queue {
				if ctx.Err() != nil {
					return
				}
				if err := p.part(ctx, s); err != nil {
					cancel(fmt.Errorf("part %q: %w", s.Name, err)) // the first one counts
				}
			}
		})
	}
	group.Wait()
	return context.Cause(ctx)
}

func (p *partsLoader) part(ctx context.Context, s Source) (err error) {
	l, err := p.session(ctx)
	if err != nil {
		return err
	}
	r, err := s.Open(ctx)
	if err != nil {
		return errors.Join(err, l.conn.end())
	}
	l.progress = p.progress.part()
	if s.fill != nil {
		r = readAhead(r)
		err = l.fill(ctx, s)
	}
	var stats LoadStats
	if err == nil {
		stats, err = l.run(ctx, r, p.options)
	}
	if err == nil && !stats.Complete {
		err = fmt.Errorf("%w: it does not end as a part of a dump does", ErrTruncated)
	}
	// What reads from a broken session may wait for it: it ends before the reader closes.
	if err != nil {
		return errors.Join(err, l.conn.end(), r.Close())
	}
	p.mu.Lock()
	p.stats.add(stats)
	p.idle = append(p.idle, l)
	p.mu.Unlock()
	return r.Close()
}

// fill adds the rows of a part that are not in it.
func (l *loader) fill(ctx context.Context, s Source) (err error) {
	if l.table, err = s.fill(ctx); err != nil {
		return err
	}
	report := l.progress
	report(s.Size)
	l.progress = func(n int64) { report(s.Size + n) }
	return nil
}

func (s *LoadStats) add(part LoadStats) {
	s.Statements += part.Statements
	s.Tables += part.Tables
	s.DefinersMapped += part.DefinersMapped
	s.Bytes += part.Bytes
}

// session is one that is idle, or a new one.
func (p *partsLoader) session(ctx context.Context) (*loader, error) {
	p.mu.Lock()
	if n := len(p.idle); n > 0 {
		l := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return l, nil
	}
	p.mu.Unlock()
	return newLoader(ctx, p.config, p.keys, p.options)
}

// addKeys adds what is left: the keys of tables without rows, and all foreign keys.
func (p *partsLoader) addKeys(ctx context.Context) error {
	l, err := p.session(ctx)
	if err != nil {
		return err
	}
	p.idle = append(p.idle, l)
	return p.keys.finish(ctx, l.conn)
}

func (p *partsLoader) end() error {
	var errs []error
	for _, l := range p.idle {
		errs = append(errs, l.conn.end())
	}
	p.idle = nil
	return errors.Join(errs...)
}

// partsProgress adds up the progress of parts.
type partsProgress struct {
	mu     sync.Mutex
	total  int64
	report func(int64)
}

// part is the function to tell one part's progress to.
func (p *partsProgress) part() func(int64) {
	var before int64
	return func(n int64) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.total += n - before
		before = n
		if p.report != nil {
			p.report(p.total)
		}
	}
}
