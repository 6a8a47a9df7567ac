//go:build !race

package doctor

const raceFactor = 1
