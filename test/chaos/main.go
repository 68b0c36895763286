// Command chaos kills the agent, the database server and the storage server at random moments of backups, restores, clones and loads on the
// local cluster, and looks each time whether a site serves its old or its new content, whole, whether the repository verifies, whether the
// task has ended or goes on, and whether anything is left behind. The moments come from a seed: the same seed gives the same kills.
//
// It needs the local cluster ("go run ./hack/cluster up") and the program ("make build"); "make chaos" sees to both.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	seed           uint64
	moments        int
	each           bool
	victims, works string
	number         int
	program        string
}

func main() {
	var o options
	flag.Uint64Var(&o.seed, "seed", 1, "which moments; the same seed gives the same ones")
	flag.IntVar(&o.moments, "moments", 20, "how often each victim is killed")
	flag.BoolVar(&o.each, "each", false, "that often during each of the works, instead of during all of them in turn")
	flag.StringVar(&o.victims, "victims", "", "only these, separated by commas: "+strings.Join(victims, ", "))
	flag.StringVar(&o.works, "works", "", "only during these, separated by commas: "+strings.Join(works, ", "))
	flag.IntVar(&o.number, "number", 0, "only the kill of this number")
	flag.StringVar(&o.program, "program", "bin/sitewright", "the program, for loads by hand")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

// run prepares, kills, and reports; an error says that something is not as promised.
func run(ctx context.Context, o options) (err error) {
	kills := only(plan(o.seed, o.moments, o.each), list(o.victims), list(o.works))
	if o.number > 0 {
		kills = slices.DeleteFunc(kills, func(k kill) bool { return k.number != o.number })
	}
	program, err := filepath.Abs(o.program)
	if err != nil {
		return err
	}
	fmt.Printf("seed %d, %d kills, %s\n", o.seed, len(kills), time.Now().Format(time.DateTime))
	h, err := prepare(ctx, program)
	if h != nil {
		// What went wrong is left to be looked at.
		defer func() { err = errors.Join(err, h.close(context.WithoutCancel(ctx), err == nil)) }()
	}
	if err != nil {
		return err
	}
	if err := h.measure(ctx); err != nil {
		return err
	}
	for _, k := range append(works, load+" from storage") {
		fmt.Printf("undisturbed %s: %d ms, its agent %d ms\n", k, h.spans[k].whole.Milliseconds(), h.spans[k].agent.Milliseconds())
	}
	breaches := 0
	var rounds []*round
	for _, k := range kills {
		r, err := h.run(ctx, k)
		if err != nil {
			return fmt.Errorf("%s: %w", k, err)
		}
		fmt.Println(r.line())
		rounds = append(rounds, r)
		breaches += len(r.breaches)
	}
	report(os.Stdout, rounds)
	if breaches > 0 || len(rounds) == 0 {
		return fmt.Errorf("%d breaches in %d kills", breaches, len(rounds))
	}
	return nil
}

func list(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}
