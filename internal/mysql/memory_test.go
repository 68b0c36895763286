package mysql_test

import (
	"context"
	"io"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/sitewright/sitewright/internal/mysql"
	"github.com/sitewright/sitewright/internal/mysql/mysqltest"
)

// TestMemoryIsBounded copies a table much larger than the memory that may be used for it.
func TestMemoryIsBounded(t *testing.T) {
	const rows, mebibytes = 200_000, 32
	s := mysqltest.Start(t)
	source, target := site(t, s), site(t, s)
	exec1(t.Context(), t, open(t, source), "CREATE TABLE big (id int PRIMARY KEY, v varchar(1000), d double, b varbinary(100))",
		"INSERT INTO big SELECT seq, REPEAT('it''s ', 100), seq / 3, UNHEX(MD5(seq)) FROM seq_1_to_200000")
	peak := peakHeap(t)
	d, err := mysql.NewDump(t.Context(), source, mysql.DumpOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	r, w := io.Pipe()
	go func() { _ = w.CloseWithError(d.Write(t.Context(), w)) }()
	var progress int64
	stats, err := mysql.Load(t.Context(), target, r, mysql.LoadOptions{Progress: func(n int64) { progress = n }})
	if err != nil {
		t.Fatal(err)
	}
	if used := peak() >> 20; used > mebibytes {
		t.Errorf("the heap grew by %d MiB, for %d MiB of script", used, stats.Bytes>>20)
	}
	if progress < stats.Bytes-1024 || stats.Bytes < rows*500 {
		t.Errorf("progress %d of %d bytes", progress, stats.Bytes)
	}
	var n int
	if err := open(t, target).QueryRow("SELECT COUNT(*) FROM big").Scan(&n); err != nil || n != rows {
		t.Errorf("%d rows, %v", n, err)
	}
}

// peakHeap watches the heap until the function it returns is called, which says by how much it grew at most.
func peakHeap(t *testing.T) func() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	start, most := m.HeapAlloc, m.HeapAlloc
	ctx, cancel := context.WithCancel(t.Context())
	var watcher sync.WaitGroup
	watcher.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapAlloc)
			}
		}
	})
	return func() uint64 {
		cancel()
		watcher.Wait()
		return most - start
	}
}
