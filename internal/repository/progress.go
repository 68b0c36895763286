package repository

import (
	"errors"
	"sync"
	"time"

	"github.com/kopia/kopia/snapshot/upload"
)

// Progress is how far a long operation is.
type Progress struct {
	// Files and Bytes are done so far, unchanged ones included.
	Files, Bytes int64
	// TotalFiles and TotalBytes are what is expected in the end; 0 while unknown. They may be exceeded by a site that
	// grows and by streams, whose size nobody knows beforehand.
	TotalFiles, TotalBytes int64
}

// reportEvery bounds how often a progress function is called.
const reportEvery = 200 * time.Millisecond

// reporter adds up and reports now and then. report may be nil.
type reporter struct {
	report func(Progress)
	mu     sync.Mutex
	last   time.Time
	now    Progress
}

func (r *reporter) add(files, bytes int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now.Files += files
	r.now.Bytes += bytes
	if r.report != nil && time.Since(r.last) >= reportEvery {
		r.last = time.Now()
		r.report(r.now)
	}
}

func (r *reporter) expect(files, bytes int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now.TotalFiles, r.now.TotalBytes = files, bytes
}

// done reports the end unconditionally.
func (r *reporter) done() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.report != nil {
		r.report(r.now)
	}
}

// uploadProgress receives what Kopia's uploader tells. It also judges the uploader's errors: Kopia is told to ignore
// them all, because it cannot tell a file that vanished, which is fine, from one that could not be read, which is not.
type uploadProgress struct {
	upload.NullUploadProgress
	reporter
	estimate bool
	cancel   func()

	errMu    sync.Mutex
	err      error
	vanished int
}

// Enabled makes the uploader estimate the total beside the upload.
func (p *uploadProgress) Enabled() bool { return p.estimate }

// EstimationParameters asks for an exact walk, which costs one lstat per file.
func (p *uploadProgress) EstimationParameters() upload.EstimationParameters {
	return upload.EstimationParameters{Type: upload.EstimationTypeClassic}
}

// EstimatedDataSize is the estimate.
func (p *uploadProgress) EstimatedDataSize(files, bytes int64) { p.expect(files, bytes) }

// CachedFile counts a file that the previous snapshot holds.
func (p *uploadProgress) CachedFile(_ string, size int64) { p.add(1, size) }

// FinishedHashingFile counts a file that was read.
func (p *uploadProgress) FinishedHashingFile(string, int64) { p.add(1, 0) }

// HashedBytes counts what was read.
func (p *uploadProgress) HashedBytes(n int64) { p.add(0, n) }

// Error keeps the first error that matters and stops the upload.
func (p *uploadProgress) Error(_ string, err error, _ bool) {
	p.errMu.Lock()
	defer p.errMu.Unlock()
	if errors.Is(err, errVanished) {
		p.vanished++
		return
	}
	if p.err == nil {
		p.err = err
		p.cancel()
	}
}

func (p *uploadProgress) failure() error {
	p.errMu.Lock()
	defer p.errMu.Unlock()
	return p.err
}
