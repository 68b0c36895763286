// Command bench measures the data path against the programs that people use today: restic, mariadb-dump, mariadb, cp and
// sed. Both sides work on the same site, the same server and the same disk, in turns; what is printed is the median of
// each and their ratio. The site is a real WordPress with 300 MB of uploads and a 300 MB database, which a seeded generator
// makes: the same bytes on every machine.
//
//	go run ./hack/bench                       everything, into docs/benchmarks.md; about 40 minutes
//	go run ./hack/bench -scale 0.1 -rounds 2  a quick look
//	go run ./hack/bench -only 'restore|clone' -memory=false
//
// It needs what a Debian machine has, installs restic, MariaDB and PHP when it runs as root and they are missing, and
// removes all that it made, also when it is interrupted.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"syscall"
	"time"
)

// document is where results go, from the root of the checkout.
const document = "docs/benchmarks.md"

// options are the flags.
type options struct {
	scale  float64
	rounds int
	only   *regexp.Regexp
	memory bool
	dir    string
	write  string
}

func main() {
	// Programs end with the thread that started them: this one ends last.
	runtime.LockOSThread()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parse(args []string) (options, error) {
	var o options
	var only string
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.Float64Var(&o.scale, "scale", 1, "size of the site: 1 is 300 MB of uploads in 3,000 files and a 300 MB database")
	flags.IntVar(&o.rounds, "rounds", 5, "how often each work is measured, by us and by the peer in turns")
	flags.StringVar(&only, "only", "", "measure only works whose name this regular expression matches")
	flags.BoolVar(&o.memory, "memory", true, "also measure the agent's peak memory, for this site and for one ten times as large")
	flags.StringVar(&o.dir, "dir", os.TempDir(), "where to work: a directory on a real disk")
	flags.StringVar(&o.write, "write", "", "file whose measured part is replaced (default: "+document+", when all is measured at scale 1 in at least 5 rounds)")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.scale < 0.01 || o.scale > 100 || o.rounds < 1 || flags.NArg() > 0 {
		return o, errors.New("scale is 0.01 to 100, rounds is at least 1, and there are no arguments; see -help")
	}
	var err error
	if o.only, err = regexp.Compile(only); err != nil {
		return o, fmt.Errorf("-only: %w", err)
	}
	if o.write == "" && o.scale == 1 && o.rounds >= 5 && only == "" && o.memory {
		o.write = document
	}
	return o, nil
}

func run(ctx context.Context, args []string) (err error) {
	o, err := parse(args)
	if err != nil {
		return err
	}
	if err := installPackages(ctx); err != nil {
		return err
	}
	if err := checkDisk(o); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(o.dir, "sitewright-bench-")
	if err != nil {
		return fmt.Errorf("making a directory to work in: %w", err)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b := &bench{options: o, dir: dir, began: time.Now()}
	defer func() { err = errors.Join(err, b.close()) }()
	if err := b.prepare(ctx); err != nil {
		return err
	}
	r, err := b.measure(ctx)
	if err != nil {
		return err
	}
	if o.write == "" {
		fmt.Printf("\n%s is left as it is: that takes everything, at scale 1, in at least 5 rounds\n", document)
		return nil
	}
	return r.write(o.write)
}
