// Package integ lets tests run other people's programs. OUTDIAL_INTEG=1 demands them, and the long form of the tests that have one, as
// .ci/run does; without it a test whose program is not installed is skipped.
package integ

import (
	"os"
	"os/exec"
	"testing"
)

// Wanted reports whether OUTDIAL_INTEG=1 demands everything.
func Wanted() bool { return os.Getenv("OUTDIAL_INTEG") == "1" }

// Long skips a test that takes a while, unless it is demanded.
func Long(t testing.TB) {
	t.Helper()
	if !Wanted() {
		t.Skip("OUTDIAL_INTEG=1 runs it")
	}
}

// Program returns where a program is. pkg is the Debian package that has it.
func Program(t testing.TB, name, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
	case Wanted():
		t.Fatalf("OUTDIAL_INTEG=1, and there is no %s (Debian: %s)", name, pkg)
	default:
		t.Skipf("there is no %s (Debian: %s)", name, pkg)
	}
	return path
}
