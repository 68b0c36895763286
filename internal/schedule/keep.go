package schedule

import (
	"fmt"
	"slices"
	"time"
)

// Keep is how many backups are kept, in the grandfather-father-son way: of each of the last Daily days, Weekly weeks and Monthly months that have
// any, the newest. Time alone removes nothing: where no more backups are made, the last ones stay.
type Keep struct {
	Daily, Weekly, Monthly int
}

// Every is how often backups have to be made for that: no more often than one is kept.
func (k Keep) Every() Interval {
	switch {
	case k.Daily > 0:
		return Daily
	case k.Weekly > 0:
		return Weekly
	}
	return Monthly
}

// None says that nothing is to be kept, and so nothing made.
func (k Keep) None() bool { return k.Daily <= 0 && k.Weekly <= 0 && k.Monthly <= 0 }

// Kept says of each of the times whether the backup of that time is kept. Days, weeks (from Monday, as in ISO 8601) and months are those of the zone.
// The newest is always kept.
func (k Keep) Kept(times []time.Time, zone *time.Location) []bool {
	order := make([]int, len(times))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return times[b].Compare(times[a]) })
	kept := make([]bool, len(times))
	if len(order) > 0 {
		kept[order[0]] = true
	}
	for _, class := range []struct {
		count  int
		period func(time.Time) string
	}{{k.Daily, day}, {k.Weekly, week}, {k.Monthly, month}} {
		last, left := "", class.count
		for _, i := range order {
			p := class.period(times[i].In(zone))
			if left == 0 {
				break
			}
			if p != last {
				kept[i], last = true, p
				left--
			}
		}
	}
	return kept
}

func day(t time.Time) string { return t.Format(time.DateOnly) }

func week(t time.Time) string {
	year, n := t.ISOWeek()
	return fmt.Sprintf("%d-W%02d", year, n)
}

func month(t time.Time) string { return t.Format("2006-01") }
