package compat

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/compat/access"
	"github.com/sitewright/sitewright/compat/view"
)

// manySites is how many Installs there are in memory.
const manySites = 10000

// many makes them once, and an administrator who sees them all.
var many = sync.OnceValues(func() (key string, err error) {
	ctx := context.Background()
	if err := world.users.CreateUser(ctx, access.User{Name: "bench", Administrator: true}); err != nil {
		return "", err
	}
	work := make(chan int)
	failures := make(chan error, manySites)
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			for i := range work {
				in := &api.Install{ObjectMeta: metav1.ObjectMeta{Namespace: "bench", Name: fmt.Sprintf("site-%05d", i)}}
				in.Spec = api.InstallSpec{Application: "blog", URL: api.SiteURL(fmt.Sprintf("http://site-%05d.example/", i)), Title: fmt.Sprintf("Site number %d", i)}
				if err := world.Create(ctx, in); err != nil {
					failures <- err
					continue
				}
				serving("6.8.7")(in)
				if err := world.Status().Update(ctx, in); err != nil {
					failures <- err
				}
			}
		})
	}
	for i := range manySites {
		work <- i
	}
	close(work)
	group.Wait()
	close(failures)
	for err := range failures {
		return "", err
	}
	for {
		var list api.InstallList
		if err := world.memory.List(ctx, &list, client.InNamespace("bench"), client.UnsafeDisableDeepCopy); err != nil {
			return "", err
		}
		if len(list.Items) == manySites {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	return world.users.CreateKey(ctx, "bench")
})

func bench(b *testing.B) (*Server, string) {
	b.Helper()
	key, err := many()
	if err != nil {
		b.Fatal(err)
	}
	server, err := newServer(b.Context(), nil)
	if err != nil {
		b.Fatal(err)
	}
	return server, key
}

// sink keeps the last thing that was written: a network would take it as it is.
type sink struct {
	header http.Header
	body   []byte
}

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) WriteHeader(int)             {}
func (s *sink) Write(p []byte) (int, error) { s.body = p; return len(p), nil }

func request(b *testing.B, server *Server, key, query string) []byte {
	b.Helper()
	r := httptest.NewRequest(http.MethodGet, "/?api=json&cmd=installs&"+query, nil)
	r.Header.Set("X-API-KEY", key)
	w := &sink{header: http.Header{}}
	server.ServeHTTP(w, r)
	return w.body
}

// BenchmarkInstalls compares one page of everything with the encoding of the same answer alone, alternating: the metric ratio is the median of the one by
// the median of the other.
func BenchmarkInstalls(b *testing.B) {
	server, key := bench(b)
	var reply struct{ Data []view.Install }
	if err := json.Unmarshal(request(b, server, key, "filter-ownedaccounts="), &reply); err != nil || len(reply.Data) < manySites {
		b.Fatalf("%d sites: %v", len(reply.Data), err)
	}
	var ours, peer []time.Duration
	for b.Loop() {
		began := time.Now()
		request(b, server, key, "filter-ownedaccounts=")
		between := time.Now()
		if _, err := json.Marshal(reply.Data); err != nil {
			b.Fatal(err)
		}
		ours, peer = append(ours, between.Sub(began)), append(peer, time.Since(between))
	}
	b.ReportMetric(float64(median(ours))/float64(median(peer)), "ratio")
}

// BenchmarkSearch measures the processor's time of a search for one site.
func BenchmarkSearch(b *testing.B) {
	server, key := bench(b)
	before := processorTime(b)
	for b.Loop() {
		request(b, server, key, "filter-ownedaccounts=&q=number+1234")
	}
	b.ReportMetric(float64((processorTime(b)-before).Milliseconds())/float64(b.N), "cpu-ms/op")
}

// BenchmarkRate asks for single sites, 200 times a second for five seconds, while others change. The metric p99/median tells how even the answers are.
func BenchmarkRate(b *testing.B) {
	server, key := bench(b)
	var list api.InstallList
	if err := world.memory.List(b.Context(), &list, client.InNamespace("bench"), client.Limit(500)); err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(b.Context())
	var churn sync.WaitGroup
	churn.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			in := &list.Items[i%len(list.Items)]
			patch := client.RawPatch("application/merge-patch+json", []byte(fmt.Sprintf(`{"status":{"progress":{"percent":%d,"rate":0}}}`, i%100)))
			_ = world.Status().Patch(ctx, in, patch) // The last one is cut off.
		}
	})
	for b.Loop() {
		var mu sync.Mutex
		var took []time.Duration
		var group sync.WaitGroup
		tick := time.NewTicker(5 * time.Millisecond)
		for i := range 1000 {
			<-tick.C
			id := ID(list.Items[(i*7)%len(list.Items)].UID)
			group.Go(func() {
				began := time.Now()
				request(b, server, key, "id="+id)
				mu.Lock()
				defer mu.Unlock()
				took = append(took, time.Since(began))
			})
		}
		tick.Stop()
		group.Wait()
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)*99/100])/float64(median(took)), "p99/median")
		b.ReportMetric(float64(median(took).Microseconds()), "median-µs")
	}
	stop()
	churn.Wait()
}

func median(times []time.Duration) time.Duration {
	times = slices.Sorted(slices.Values(times))
	return times[len(times)/2]
}

func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
