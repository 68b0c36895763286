package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// side is one way to do a work. What it does is on the clock; reset, which leads to the state that each round begins
// with, is not.
type side struct {
	reset func(context.Context) error
	do    func(context.Context) (cost, error)
	check func(context.Context) error // that the result is right; after the first round
}

// work is what is measured: a line of the table.
type work struct {
	name, peer string
	target     float64                     // of the ratio of times; 0 where none is set
	before     func(context.Context) error // before all rounds
	round      func(context.Context) error // before each round
	ours       side
	theirs     side
	after      func(context.Context) error // removes what is left
}

// line is what was measured of a work.
type line struct {
	work
	ourTimes, theirTimes []time.Duration
}

// compare measures a work, by us and by the peer in turns. Who begins alternates too.
func (b *bench) compare(ctx context.Context, w work) (l line, err error) {
	l = line{work: w}
	if w.after != nil {
		defer func() { err = errors.Join(err, w.after(context.WithoutCancel(ctx))) }()
	}
	if err := call(ctx, w.before); err != nil {
		return l, fmt.Errorf("before the rounds: %w", err)
	}
	for i := range b.rounds {
		if err := call(ctx, w.round); err != nil {
			return l, fmt.Errorf("before round %d: %w", i+1, err)
		}
		turns := []func() error{
			func() error { return b.turn(ctx, &w.ours, &l.ourTimes, "ours", i == 0) },
			func() error { return b.turn(ctx, &w.theirs, &l.theirTimes, "the peer's", i == 0) },
		}
		if i%2 == 1 {
			turns[0], turns[1] = turns[1], turns[0]
		}
		for _, turn := range turns {
			if err := turn(); err != nil {
				return l, fmt.Errorf("round %d, %w", i+1, err)
			}
		}
	}
	return l, nil
}

func (b *bench) turn(ctx context.Context, s *side, times *[]time.Duration, whose string, first bool) error {
	if err := call(ctx, s.reset); err != nil {
		return fmt.Errorf("%s: before the clock starts: %w", whose, err)
	}
	if err := b.settle(ctx); err != nil {
		return err
	}
	c, err := s.do(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", whose, err)
	}
	*times = append(*times, c.wall)
	if !first {
		return nil
	}
	if err := call(ctx, s.check); err != nil {
		return fmt.Errorf("%s: the result is wrong: %w", whose, err)
	}
	return nil
}

func call(ctx context.Context, f func(context.Context) error) error {
	if err := ctx.Err(); err != nil || f == nil {
		return err
	}
	return f(ctx)
}
