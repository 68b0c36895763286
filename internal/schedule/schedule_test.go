package schedule

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := Zone(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func at(t *testing.T, s string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestZone(t *testing.T) {
	for name, ok := range map[string]bool{"UTC": true, "Europe/Berlin": true, "America/Argentina/Buenos_Aires": true, "": false, "Local": false,
		"Europe/Atlantis": false, "../etc/passwd": false} {
		if z, err := Zone(name); (err == nil) != ok || (z != nil) != ok {
			t.Errorf("zone %q: %v, %v", name, z, err)
		}
	}
}

func TestNext(t *testing.T) {
	for _, c := range []struct {
		name         string
		zone         string
		hour, minute int
		offset       time.Duration
		every        Interval
		after, want  string
	}{
		{"later today", "UTC", 2, 30, 0, Daily, "2026-11-27T01:00:00Z", "2026-11-27T02:30:00Z"},
		{"the very moment is over", "UTC", 2, 30, 0, Daily, "2026-11-27T02:30:00Z", "2026-11-28T02:30:00Z"},
		{"spread over midnight", "UTC", 23, 0, 2 * time.Hour, Daily, "2026-11-27T00:30:00Z", "2026-11-27T01:00:00Z"},
		{"in its zone", "America/New_York", 2, 0, 0, Daily, "2026-11-27T01:00:00Z", "2026-11-27T07:00:00Z"},
		{"skipped by summer time", "Europe/Berlin", 2, 30, 0, Daily, "2026-03-28T12:00:00Z", "2026-03-29T01:30:00Z"},
		{"twice in the autumn", "Europe/Berlin", 2, 30, 0, Daily, "2026-10-25T01:30:00Z", "2026-10-26T01:30:00Z"},
		{"weekly on Monday", "UTC", 4, 0, 0, Weekly, "2026-11-27T00:00:00Z", "2026-11-30T04:00:00Z"},
		{"weekly, on Monday before", "UTC", 4, 0, 0, Weekly, "2026-11-30T03:59:59Z", "2026-11-30T04:00:00Z"},
		{"weekly, on Monday after", "UTC", 4, 0, 0, Weekly, "2026-11-30T04:00:01Z", "2026-12-07T04:00:00Z"},
		{"weekly on Sunday", "UTC", 4, 0, 0, Weekly, "2026-11-29T23:00:00Z", "2026-11-30T04:00:00Z"},
		{"monthly", "UTC", 4, 0, 0, Monthly, "2026-01-31T12:00:00Z", "2026-02-01T04:00:00Z"},
		{"monthly over the year", "UTC", 4, 0, time.Hour, Monthly, "2026-12-01T05:00:00Z", "2027-01-01T05:00:00Z"},
	} {
		s := Schedule{Hour: c.hour, Minute: c.minute, Zone: zone(t, c.zone), Offset: c.offset, Every: c.every}
		if got := s.Next(at(t, c.after)).UTC().Format(time.RFC3339); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// TestNextGoesOn walks through years: times rise, one for each day, week or month, in zones of every kind.
func TestNextGoesOn(t *testing.T) {
	for _, name := range []string{"UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia"} {
		for every, most := range map[Interval]time.Duration{Daily: 49 * time.Hour, Weekly: 193 * time.Hour, Monthly: 32 * 24 * time.Hour} {
			s := Schedule{Hour: 0, Minute: 15, Zone: zone(t, name), Offset: 90 * time.Minute, Every: every}
			seen := map[string]bool{}
			for was, i := at(t, "2008-01-01T00:00:00Z"), 0; i < 1500; i++ {
				next := s.Next(was)
				if gap := next.Sub(was); gap <= 0 || (i > 0 && gap > most) {
					t.Fatalf("%s: %v after %v", name, next, was)
				}
				began := next.Add(-s.Offset).In(s.Zone).Format(time.DateOnly)
				if seen[began] {
					t.Fatalf("%s: twice on %s", name, began)
				}
				seen[began], was = true, next
			}
		}
	}
}

func TestSpread(t *testing.T) {
	const window = 4 * time.Hour
	quarters := map[time.Duration]int{}
	for i := range 1000 {
		uid := fmt.Sprintf("uid-%d", i)
		d := Spread(uid, window)
		if d < 0 || d >= window || d != Spread(uid, window) || d%time.Second != 0 {
			t.Fatalf("%s: %v", uid, d)
		}
		quarters[d/time.Hour]++
	}
	for q, n := range quarters {
		if n < 150 || n > 350 {
			t.Errorf("hour %d has %d of 1000", q, n)
		}
	}
	if d := Spread("uid", 0); d != 0 {
		t.Errorf("without a window: %v", d)
	}
}

func TestKept(t *testing.T) {
	var times []time.Time
	var names []string
	for d := at(t, "2026-01-01T02:00:00Z"); d.Before(at(t, "2026-03-11T00:00:00Z")); d = d.AddDate(0, 0, 1) {
		times, names = append(times, d), append(names, d.Format("01-02"))
	}
	for _, c := range []struct {
		keep Keep
		want []string
	}{
		{Keep{Daily: 3}, []string{"03-08", "03-09", "03-10"}},
		// 2026-03-10 is a Tuesday: of this week the newest, of those before their Sundays.
		{Keep{Weekly: 3}, []string{"03-01", "03-08", "03-10"}},
		{Keep{Monthly: 3}, []string{"01-31", "02-28", "03-10"}},
		{Keep{Daily: 2, Weekly: 2, Monthly: 2}, []string{"02-28", "03-08", "03-09", "03-10"}},
		{Keep{}, []string{"03-10"}},
		{Keep{Monthly: 100}, []string{"01-31", "02-28", "03-10"}},
	} {
		var got []string
		for i, kept := range c.keep.Kept(times, time.UTC) {
			if kept {
				got = append(got, names[i])
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%+v keeps %v, want %v", c.keep, got, c.want)
		}
	}
}

// TestKeptAsTimeGoes makes a backup each night and removes what is not kept, for two years: what is there is always as many as were asked for, and
// of the ages that were asked for. Gaps and shuffled order change nothing of that.
func TestKeptAsTimeGoes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	keep := Keep{Daily: 7, Weekly: 4, Monthly: 12}
	var have []time.Time
	for d := at(t, "2024-01-01T02:00:00Z"); d.Before(at(t, "2026-01-01T00:00:00Z")); d = d.AddDate(0, 0, 1) {
		if r.IntN(20) == 0 {
			continue // a night on which it failed
		}
		have = append(have, d)
		r.Shuffle(len(have), func(i, j int) { have[i], have[j] = have[j], have[i] })
		kept := keep.Kept(have, time.UTC)
		var rest []time.Time
		for i := range have {
			if kept[i] {
				rest = append(rest, have[i])
			}
		}
		have = rest
		if len(have) > 23 {
			t.Fatalf("%d backups on %v", len(have), d)
		}
	}
	slices.SortFunc(have, time.Time.Compare)
	if len(have) < 20 {
		t.Errorf("%d backups are left", len(have))
	}
	if age := have[len(have)-1].Sub(have[0]); age < 330*24*time.Hour {
		t.Errorf("the oldest is only %v older than the newest", age)
	}
}
