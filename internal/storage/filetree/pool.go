package filetree

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/sitewright/sitewright/internal/storage"
)

// restedAfter is the idleness after which a session is asked whether it lives: servers and firewalls end idle ones, and a
// put whose source cannot be read twice must not find out by failing.
const restedAfter = 15 * time.Second

// pool keeps the sessions of a store.
type pool struct {
	server Server
	// slots holds a token for each session that may still be opened or taken.
	slots chan struct{}

	mu     sync.Mutex
	idle   []rested
	closed bool
}

type rested struct {
	Session
	since time.Time
}

func newPool(server Server, sessions int) *pool {
	p := &pool{server: server, slots: make(chan struct{}, sessions)}
	for range sessions {
		p.slots <- struct{}{}
	}
	return p
}

// take returns a session that is nobody else's, and waits for one while all are in use. give must follow.
func (p *pool) take(ctx context.Context) (Session, error) {
	select {
	case <-p.slots:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for {
		c, ok := p.rested()
		if !ok {
			break
		}
		if time.Since(c.since) < restedAfter || c.Alive(ctx) {
			return c.Session, nil
		}
		_ = c.Close() // It did not answer; there is nothing to say.
	}
	c, err := p.server.Dial(ctx)
	if err != nil {
		p.slots <- struct{}{}
		return nil, fmt.Errorf("connect: %w", err)
	}
	return c, nil
}

// rested takes the session that was used last.
func (p *pool) rested() (rested, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.idle)
	if n == 0 {
		return rested{}, false
	}
	c := p.idle[n-1]
	p.idle = p.idle[:n-1]
	return c, true
}

// give takes a session back. One that is not usable any more is closed.
func (p *pool) give(c Session, usable bool) {
	p.mu.Lock()
	keep := usable && !p.closed
	if keep {
		p.idle = append(p.idle, rested{c, time.Now()})
	}
	p.mu.Unlock()
	if !keep {
		_ = c.Close() // What was done with it has been reported.
	}
	p.slots <- struct{}{}
}

func (p *pool) close() error {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.closed = nil, true
	p.mu.Unlock()
	var errs []error
	for _, c := range idle {
		if err := c.Close(); err != nil && !storage.IsNetwork(err) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
