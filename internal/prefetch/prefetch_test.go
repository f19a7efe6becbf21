package prefetch_test

import (
	"testing"
	"unsafe"

	"github.com/outdial/outdial/internal/prefetch"
)

// TestLine shows that a line may be anywhere, and that nothing is changed.
func TestLine(t *testing.T) {
	x := [2]uint64{1, 2}
	prefetch.Line(unsafe.Pointer(&x[0]))
	prefetch.Line(unsafe.Pointer(&x[1]))
	prefetch.Line(nil)
	if x != [2]uint64{1, 2} {
		t.Error(x)
	}
}
