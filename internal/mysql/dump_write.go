package mysql

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

const writeBuffer = 256 << 10

// Pause is how long writers had to wait: from the request for the lock until the transactions had begun, or, where
// tables without transactions or Quiesce keep a lock, until now or Close.
func (d *Dump) Pause() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.lockedAt.IsZero() {
		return time.Since(d.lockedAt)
	}
	return d.pause
}

// Parts are the parts in the order of loading. The caller may keep the slice.
func (d *Dump) Parts() []Part { return slices.Clone(d.parts) }

// WritePart writes one part as the snapshot has it; the same part always yields the same bytes. It may be called
// concurrently: calls beyond the number of workers wait. Memory is bounded by the largest row, not by the table. After
// an error, or when ctx ends, the worker and its snapshot are lost, and the dump is to be closed. ErrChanged means that
// the table was altered since the snapshot.
func (d *Dump) WritePart(ctx context.Context, part Part, w io.Writer) error {
	if part.write == nil {
		return fmt.Errorf("write part %q: not a part of this dump", part.Name)
	}
	var conn *session
	select {
	case conn = <-part.readers:
		defer func() { part.readers <- conn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	err := ctx.Err()
	if err == nil {
		err = writeScript(w, func(w io.Writer) error { return part.write(ctx, conn, w) })
	}
	if err != nil {
		return fmt.Errorf("write part %q: %w", part.Name, err)
	}
	return nil
}

// writeScript writes a part's body between what every part begins and ends with.
func writeScript(w io.Writer, body func(io.Writer) error) error {
	buffered := bufio.NewWriterSize(w, writeBuffer)
	if _, err := buffered.WriteString(partHeader); err != nil {
		return err
	}
	if err := body(buffered); err != nil {
		return err
	}
	if _, err := buffered.WriteString(partFooter); err != nil {
		return err
	}
	return buffered.Flush()
}

// Write writes all parts, one after the other: a script for the stock client.
func (d *Dump) Write(ctx context.Context, w io.Writer) error {
	for _, part := range d.parts {
		if err := d.WritePart(ctx, part, w); err != nil {
			return err
		}
	}
	return nil
}

// Close ends the snapshot and releases every lock. It must not run at the same time as WritePart.
func (d *Dump) Close() error {
	var errs []error
	for _, conn := range d.all {
		errs = append(errs, conn.end())
	}
	d.all = nil
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.lockedAt.IsZero() {
		d.pause, d.lockedAt = time.Since(d.lockedAt), time.Time{}
	}
	return errors.Join(errs...)
}
