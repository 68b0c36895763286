package access

import (
	"testing"
	"time"
)

func TestBrake(t *testing.T) {
	now := time.Now()
	b := newBrake(func() time.Time { return now })
	want := []time.Duration{0, 0, 0, 250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 8 * time.Second}
	for i, d := range want {
		if got := b.fail("here"); got != d {
			t.Errorf("failure %d waits %s, not %s", i+1, got, d)
		}
	}
	for range 100 {
		b.fail("here")
	}
	if got := b.fail("here"); got != longestWait {
		t.Errorf("the wait grows to %s", got)
	}
	if got := b.fail("elsewhere"); got != 0 {
		t.Errorf("another source waits %s", got)
	}
	now = now.Add(forgetAfter + time.Second)
	if got := b.fail("here"); got != 0 {
		t.Errorf("after a while it still waits %s", got)
	}
}

func TestCaller(t *testing.T) {
	for name, groups := range map[string][]string{
		"system:serviceaccount:acme:sitewright-panel": {"system:serviceaccounts", "system:serviceaccounts:acme", "system:authenticated"}, "alice": {"staff", "system:authenticated"},
	} {
		c := user(name, groups)
		if c.User != name {
			t.Errorf("%s is %s", name, c.User)
		}
		if name == "alice" && (c.Namespace != "" || len(c.Groups) != 1 || c.Groups[0] != "staff") || name != "alice" && (c.Namespace != "acme" || len(c.Groups) != 0) {
			t.Errorf("%s is %+v", name, c)
		}
	}
}
