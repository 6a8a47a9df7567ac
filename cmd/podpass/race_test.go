//go:build race

package main

// raceFactor is how many times the memory the race detector takes, at most.
const raceFactor = 5
