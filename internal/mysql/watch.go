package mysql

import (
	"context"
	"time"
)

// watchTimeout is how long a server may take to answer a Watch that asks whether it is still there.
const watchTimeout = 10 * time.Second

// Watch is a session that does nothing but be open, while a program works with the same database through sessions of its own. What ends it, the end of
// the server or of the way there, ends those too: so a program that failed is told apart from one whose database went away.
type Watch struct{ session *session }

// NewWatch opens a session with the database of config. The caller ends it with End.
func NewWatch(ctx context.Context, config Config) (*Watch, error) {
	s, err := openSession(ctx, config)
	if err != nil {
		return nil, err
	}
	return &Watch{s}, nil
}

// End closes the session and says whether it was still open: ErrUnreachable when it was not.
func (w *Watch) End(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, watchTimeout)
	defer cancel()
	err := w.session.exec(ctx, "DO 1")
	_ = w.session.end()
	return err
}
