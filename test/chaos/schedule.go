package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// The victims and the works, in the order of the report.
var (
	victims = []string{agent, database, storage}
	works   = []string{backup, restore, clone, load}
)

const (
	agent    = "agent"
	database = "database"
	storage  = "storage"

	backup  = "backup"
	restore = "restore"
	clone   = "clone"
	load    = "load"
)

// kill is one of the run: who is killed, during what, and when.
type kill struct {
	number       int
	victim, work string
	// moment is the part of the work's undisturbed duration after which the victim is killed.
	moment float64
}

func (k kill) String() string {
	return fmt.Sprintf("%3d %-8s %-7s at %2.0f %%", k.number, k.victim, k.work, k.moment*100)
}

// plan draws the kills of a seed: moments for each victim, in turn during each of the works; or, with each, moments for every pair of them.
// The same seed gives the same kills in the same order.
func plan(seed uint64, moments int, each bool) []kill {
	random := rand.New(rand.NewPCG(seed, 0))
	var kills []kill
	for _, v := range victims {
		n := moments
		if each {
			n *= len(works)
		}
		for i := range n {
			kills = append(kills, kill{victim: v, work: works[i%len(works)], moment: random.Float64()})
		}
	}
	random.Shuffle(len(kills), func(i, j int) { kills[i], kills[j] = kills[j], kills[i] })
	for i := range kills {
		kills[i].number = i + 1
	}
	return kills
}

// only keeps the kills of these victims and works, under the numbers that they have; empty lists keep all.
func only(kills []kill, victims, works []string) []kill {
	return slices.DeleteFunc(slices.Clone(kills), func(k kill) bool {
		return len(victims) > 0 && !slices.Contains(victims, k.victim) || len(works) > 0 && !slices.Contains(works, k.work)
	})
}
