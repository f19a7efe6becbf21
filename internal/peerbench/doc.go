// Package peerbench measures outdial beside what people would use instead of it. It is a module of its own, so that
// no peer enters the go.mod of the library, and has no code but benchmarks and the tests that both sides of a
// comparison give the same answers.
//
// A benchmark is named Subject/case/side. The side called "outdial" is ours; every other stands beside it on the same
// data, in the same process, one right after the other. The command ./cmd/ratios runs all of them in rounds and
// prints the ratios.
package peerbench
