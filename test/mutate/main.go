// Command mutate changes one thing of a package at a time and runs its tests: a
// change that no test notices is a promise without a test.
//
//	go run ./test/mutate -seed 1 -n 40 ./federation/aws ./broker/cache
//
// Most mutants stand in one build of the tests, each switched on by a number in the
// environment; a changed constant takes a build of its own. The sources are never touched.
//
// It samples: the same seed gives the same mutants of the same code. Of each package it
// tells how many of those that compile were killed, and lists the ones that lived. A
// mutant that changes nothing that anybody could see belongs into equivalent.txt, with
// the reason; it is then left out. The exit status is 1 if a package is below -least.
// Packages with tests of the clouds' own command lines take an hour, with -short minutes.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ok, err := command(ctx)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(2)
	case !ok:
		os.Exit(1)
	}
}

func command(ctx context.Context) (bool, error) {
	var (
		seed    = flag.Uint64("seed", 1, "which mutants are drawn")
		n       = flag.Int("n", 40, "how many mutants of each package; 0: all")
		least   = flag.Float64("least", 90, "percentage of the mutants that must be killed")
		list    = flag.Bool("list", false, "list the mutants, and run nothing")
		short   = flag.Bool("short", false, "leave out what -short does, as the clouds' own command lines, which take seconds a call: what only they notice lives")
		verbose = flag.Bool("v", false, "report each mutant")
	)
	flag.Parse()
	if flag.NArg() == 0 {
		return false, fmt.Errorf("name packages, for example ./federation/aws")
	}
	packages, err := load(ctx, flag.Args())
	if err != nil {
		return false, err
	}
	known, err := equivalents()
	if err != nil {
		return false, err
	}
	ok := true
	for _, p := range packages {
		mutants, err := p.mutants()
		if err != nil {
			return false, err
		}
		mutants = known.without(mutants)
		if *list {
			for _, m := range mutants {
				fmt.Println(m)
			}
			continue
		}
		start := time.Now()
		score, err := p.try(ctx, sample(mutants, *seed), *n, *short, *verbose)
		if err != nil {
			return false, err
		}
		fmt.Printf("%s: %d of %d killed (%.0f %%), seed %d, %d mutants in all, %s\n",
			p.Dir, score.killed, score.compiled, score.percent(), *seed, len(mutants), time.Since(start).Round(time.Second))
		ok = ok && score.percent() >= *least
	}
	for _, id := range known.stale(packages) {
		ok = false
		fmt.Println("equivalent.txt: no such mutant any more:", id)
	}
	return ok, nil
}
