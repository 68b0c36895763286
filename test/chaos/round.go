package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/sitewright/sitewright/test/local"
)

// tries is how often a moment is halved when the work had ended before it.
const tries = 4

// round is one kill, and what came of it.
type round struct {
	kill
	// at is when the victim was killed, after the work (or its agent) began.
	at time.Duration
	// missed counts works that had ended before.
	missed int
	outcome
	// again says that the task failed, and the same work was done once more, undisturbed.
	again bool
	// served is the version that the site serves after all.
	served        string
	asked, failed int
	// firstFailure is why the first of the failed requests did.
	firstFailure string
	// down is how long after the kill servers and site answered again; over, when the task had ended.
	down, over time.Duration
	breaches   []string
}

func (r *round) breach(format string, args ...any) {
	r.breaches = append(r.breaches, fmt.Sprintf(format, args...))
}

// run kills once. An error is something wrong with the run itself.
func (h *harness) run(ctx context.Context, k kill) (*round, error) {
	r := &round{kill: k}
	for {
		name := fmt.Sprintf("%s-%d-%d", k.work, k.number, r.missed)
		hit, err := h.try(ctx, r, name)
		if err != nil || hit {
			return r, err
		}
		if r.missed++; r.missed == tries {
			r.breach("the %s had ended %d times before its moment came", k.work, tries)
			return r, nil
		}
		r.moment /= 2
	}
}

// try does the work once and kills the victim at its moment, unless the work has ended before.
func (h *harness) try(ctx context.Context, r *round, name string) (hit bool, err error) {
	if err := h.advance(ctx); err != nil {
		return false, err
	}
	allowed := []string{h.version}
	if r.work == restore {
		allowed = append(allowed, savedVersion)
	}
	w := watchSite(ctx, h.site, allowed...)
	defer w.stop()
	t := h.newTask(r.work, r.victim, name)
	killed, err := h.strike(ctx, r, t)
	if err != nil {
		return false, err
	}
	if !killed.IsZero() {
		if err := h.recover(ctx, r, killed); err != nil {
			return true, err
		}
	}
	o, err := h.await(ctx, t)
	if err != nil {
		r.breach("%s neither ended nor failed: %v", name, err)
		return true, nil
	}
	if killed.IsZero() {
		return false, t.remove(ctx)
	}
	r.outcome, r.over = *o, time.Since(killed)
	a, err := h.site.await(ctx)
	if err != nil {
		r.breach("%v", err)
	}
	r.served = a.version
	w.stop()
	r.asked, r.failed, r.firstFailure = w.asked, w.failed, w.first
	if w.wrong != "" {
		r.breach("%s", w.wrong)
	}
	if w.failed > 0 && r.victim != database {
		r.breach("%d requests to the site failed: %s", w.failed, w.first)
	}
	return true, h.examine(ctx, r, t, name)
}

// strike begins the task and kills the victim. It returns when, zero if the work had ended by then.
func (h *harness) strike(ctx context.Context, r *round, t task) (time.Time, error) {
	server, err := h.victim(ctx, r.victim)
	if err != nil {
		return time.Time{}, err
	}
	began := time.Now()
	if err := t.begin(ctx); err != nil {
		return time.Time{}, err
	}
	length := h.spans[r.work+r.flavour()].whole
	if r.victim == agent {
		if server, err = h.awaitAgent(ctx, t); err != nil {
			return time.Time{}, err
		}
		began, length = time.Now(), h.spans[r.work].agent
	}
	moment := time.Duration(r.moment * float64(length))
	for ; time.Since(began) < moment; time.Sleep(time.Millisecond) {
		if o, _ := t.ended(ctx); r.victim != agent && o != nil {
			return time.Time{}, nil
		}
	}
	err = server.Kill()
	if errors.Is(err, os.ErrProcessDone) && r.victim == agent {
		return time.Time{}, nil
	}
	r.at = time.Since(began)
	return time.Now(), err
}

// flavour tells loads apart, which differ with the victim.
func (k kill) flavour() string {
	if k.work == load && k.victim == storage {
		return " from storage"
	}
	return ""
}

// awaitAgent waits for the agent of a task to run.
func (h *harness) awaitAgent(ctx context.Context, t task) (*local.Process, error) {
	for deadline := time.Now().Add(bound); ; time.Sleep(10 * time.Millisecond) {
		p, err := t.process(ctx)
		if p != nil || err != nil {
			return p, err
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("no agent began within %s", bound)
		}
	}
}

// recover waits until both servers and the site answer.
func (h *harness) recover(ctx context.Context, r *round, killed time.Time) error {
	err := local.Await(ctx, bound, "the servers to answer", func() (bool, string) {
		err := h.serves(ctx)
		return err == nil, fmt.Sprint(err)
	})
	if err != nil {
		return err
	}
	if _, err := h.site.await(ctx); err != nil {
		r.breach("%v", err)
	}
	r.down = time.Since(killed)
	return nil
}

// examine looks at what the task made and left, after another run of the same work where the task has failed.
func (h *harness) examine(ctx context.Context, r *round, t task, name string) error {
	// A program that was killed itself has nobody to tell why.
	silent := r.work == load && r.victim == agent
	if !r.ready && !silent && len(strings.Fields(r.message)) < 4 {
		r.breach("the task failed and says no more than %q", r.message)
	}
	if err := t.judge(ctx, r.outcome); err != nil {
		r.breach("%v", err)
	}
	if !r.ready {
		r.again = true
		second := h.newTask(r.work, r.victim, name+"-again")
		if err := h.undisturbed(ctx, second, nil); err != nil {
			r.breach("the next run: %v", err)
		}
		if err := second.remove(ctx); err != nil {
			r.breach("%v", err)
		}
	}
	if err := h.verify(ctx); err != nil {
		r.breach("%v", err)
	}
	if err := t.remove(ctx); err != nil {
		r.breach("%v", err)
	}
	return h.tidy(ctx, r)
}

// tidy waits for what the task left to go: what stays is a breach.
func (h *harness) tidy(ctx context.Context, r *round) error {
	var left, lost []string
	var failed error
	err := local.Await(ctx, time.Minute, "what is left to go", func() (bool, string) {
		var now map[string]bool
		if now, failed = h.inventory(ctx); failed != nil {
			return false, ""
		}
		left, lost = difference(h.before, now)
		return len(left)+len(lost) == 0, ""
	})
	if ctx.Err() != nil || failed != nil {
		return errors.Join(ctx.Err(), failed)
	}
	if err != nil {
		r.breach("left: %q, missing: %q", left, lost)
		// It is told once; the next task is held against what is there now.
		h.before, err = h.inventory(ctx)
	}
	return err
}

// undisturbed does a work without killing anything; it must succeed.
func (h *harness) undisturbed(ctx context.Context, t task, took *span) error {
	began := time.Now()
	if err := t.begin(ctx); err != nil {
		return err
	}
	if took != nil {
		p, err := h.awaitAgent(ctx, t)
		if err != nil {
			return err
		}
		for first := time.Now(); ; time.Sleep(5 * time.Millisecond) {
			if took.agent = time.Since(first); !p.Runs() {
				break
			}
		}
	}
	o, err := h.await(ctx, t)
	if err != nil {
		return err
	}
	if took != nil {
		took.whole = time.Since(began)
	}
	if !o.ready {
		return errors.New(o.message)
	}
	return t.judge(ctx, *o)
}

// measure does every work twice, undisturbed, and takes the inventory that later ones are held against.
func (h *harness) measure(ctx context.Context) error {
	for _, k := range []kill{{work: backup}, {work: restore}, {work: clone}, {work: load}, {work: load, victim: storage}} {
		for i := range 2 {
			if err := h.advance(ctx); err != nil {
				return err
			}
			t := h.newTask(k.work, k.victim, fmt.Sprintf("%s-first-%d", k.work, i))
			var took span
			if err := h.undisturbed(ctx, t, &took); err != nil {
				return fmt.Errorf("an undisturbed %s: %w", k.work, err)
			}
			if err := t.remove(ctx); err != nil {
				return err
			}
			h.spans[k.work+k.flavour()] = took
		}
	}
	return h.settle(ctx)
}

// settle waits until nothing changes any more.
func (h *harness) settle(ctx context.Context) (err error) {
	last := map[string]bool{}
	same := 0
	return local.Await(ctx, bound, "the site to be at rest", func() (bool, string) {
		h.before, err = h.inventory(ctx)
		left, lost := difference(last, h.before)
		if same++; err != nil || len(left)+len(lost) > 0 {
			same = 0
		}
		last = h.before
		return same >= 5, fmt.Sprint(err, left, lost)
	})
}
