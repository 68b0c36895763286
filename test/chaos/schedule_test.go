package main

import (
	"reflect"
	"testing"
)

func TestPlanIsSeeded(t *testing.T) {
	a, b := plan(7, 20, false), plan(7, 20, false)
	if !reflect.DeepEqual(a, b) {
		t.Error("the same seed gives other kills")
	}
	if reflect.DeepEqual(a, plan(8, 20, false)) {
		t.Error("another seed gives the same kills")
	}
	count := map[string]int{}
	for i, k := range a {
		count[k.victim]++
		count[k.victim+" "+k.work]++
		if k.number != i+1 || k.moment < 0 || k.moment >= 1 {
			t.Errorf("%+v is kill %d", k, i+1)
		}
	}
	for _, v := range victims {
		if count[v] != 20 {
			t.Errorf("%s is killed %d times", v, count[v])
		}
		for _, w := range works {
			if count[v+" "+w] != 5 {
				t.Errorf("%s is killed %d times during %s", v, count[v+" "+w], w)
			}
		}
	}
	if n := len(plan(7, 20, true)); n != 20*len(victims)*len(works) {
		t.Errorf("%d kills where every victim is to be killed 20 times during every work", n)
	}
}

func TestOnly(t *testing.T) {
	all := plan(7, 8, false)
	some := only(all, []string{database}, []string{clone})
	if len(some) != 2 || len(all) != 24 {
		t.Fatalf("%d of %d kills", len(some), len(all))
	}
	for _, k := range some {
		if all[k.number-1] != k {
			t.Errorf("%+v was %+v", k, all[k.number-1])
		}
	}
}
