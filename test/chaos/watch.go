package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/sitewright/sitewright/test/local"
)

func base64Of(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// watchEvery is how often a site is asked.
const watchEvery = 300 * time.Millisecond

// watch asks a site again and again.
type watch struct {
	cancel context.CancelFunc
	done   sync.WaitGroup
	// asked counts requests, failed those without an answer; first is why the first of them had none.
	asked, failed int
	first         string
	// wrong is the first answer that is neither of the versions, whole.
	wrong string
}

// watchSite looks at a site until it is stopped: each answer must be all of one of the versions.
func watchSite(ctx context.Context, s *site, versions ...string) *watch {
	ctx, cancel := context.WithCancel(ctx)
	w := &watch{cancel: cancel}
	c := &http.Client{Transport: local.Transport(), Timeout: 30 * time.Second}
	w.done.Go(func() {
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if a := s.look(ctx, c); ctx.Err() == nil {
				w.take(a, versions)
			}
		}
	})
	return w
}

func (w *watch) take(a seen, versions []string) {
	w.asked++
	switch {
	case a.failed != "":
		if w.failed++; w.first == "" {
			w.first = a.failed
		}
	case a.mixed != "" && w.wrong == "":
		w.wrong = "a mixture was served: " + a.mixed
	case a.mixed == "" && !slices.Contains(versions, a.version) && w.wrong == "":
		w.wrong = fmt.Sprintf("version %s was served, which is none of %v", a.version, versions)
	}
}

// stop ends the watch.
func (w *watch) stop() {
	w.cancel()
	w.done.Wait()
}
