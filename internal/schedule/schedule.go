// Package schedule says when backups begin and which of them are kept: pure functions of times.
package schedule

import (
	"fmt"
	"hash/fnv"
	"time"
	_ "time/tzdata" // A container may have no time zones of its own.
)

// Schedule is when the backups of one site begin.
type Schedule struct {
	// Hour and Minute of the day in Zone.
	Hour, Minute int
	// Zone that days are reckoned in.
	Zone *time.Location
	// Offset after Hour and Minute: what Spread says of the site.
	Offset time.Duration
	// Every is how far backups are apart.
	Every Interval
}

// Interval is how far backups are apart.
type Interval int

// The intervals. A week begins on Monday, a month on its first day.
const (
	Daily Interval = iota
	Weekly
	Monthly
)

// Zone finds a time zone by its IANA name. An empty name and "Local" are refused: both depend on the machine.
func Zone(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, fmt.Errorf("time zone %q is not known", name)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("time zone %q is not known", name)
	}
	return zone, nil
}

// Spread is the moment of a window that belongs to the object of this UID, in whole seconds and always the same: many sites of one schedule do
// not begin at once.
func Spread(uid string, window time.Duration) time.Duration {
	seconds := int64(window / time.Second)
	if seconds <= 0 {
		return 0
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(uid)) // Never fails.
	return time.Duration(h.Sum64()%uint64(seconds)) * time.Second
}

// Next is the first time after t at which a backup begins. On a day whose clocks skip that time it begins when they have, and on one whose clocks
// show it twice it begins once.
func (s Schedule) Next(t time.Time) time.Time {
	day := s.first(t.Add(-s.Offset))
	for {
		if at := s.on(day).Add(s.Offset); at.After(t) {
			return at
		}
		day = s.following(day)
	}
}

// on is the schedule's time on a day.
func (s Schedule) on(day time.Time) time.Time {
	wanted := day.Add(time.Duration(s.Hour)*time.Hour + time.Duration(s.Minute)*time.Minute)
	year, month, date := day.Date()
	at := time.Date(year, month, date, s.Hour, s.Minute, 0, 0, s.Zone)
	// For a time that clocks skip Go answers either with one before they do or with one after.
	year, month, date = at.Date()
	shown := time.Date(year, month, date, at.Hour(), at.Minute(), 0, 0, time.UTC)
	return at.Add(max(0, wanted.Sub(shown)))
}

// first is the first day of the interval that t is in. Days are held as midnights of UTC, in which none is skipped.
func (s Schedule) first(t time.Time) time.Time {
	year, month, date := t.In(s.Zone).Date()
	day := time.Date(year, month, date, 0, 0, 0, 0, time.UTC)
	switch s.Every {
	case Weekly:
		return day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
	case Monthly:
		return day.AddDate(0, 0, 1-date)
	}
	return day
}

// following is the first day of the next interval.
func (s Schedule) following(day time.Time) time.Time {
	switch s.Every {
	case Weekly:
		return day.AddDate(0, 0, 7)
	case Monthly:
		return day.AddDate(0, 1, 0)
	}
	return day.AddDate(0, 0, 1)
}
