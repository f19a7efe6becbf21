package cli

import "math/bits"

// calleeChunks is the memory of callees, in chunks that never move. The next one can be made ahead, without a lock: the operating system
// gives fresh memory page by page at the first touch of each, which takes longer than all that Reserve does.
type calleeChunks struct {
	words  int  // of a callee
	shift  uint // log2 of the callees of a chunk
	chunks [][]uint32
	spare  []uint32 // the next chunk, if it was made ahead
	making bool
}

const (
	chunkWords = 4096 // 16 KiB at most
	pageWords  = 1024
)

func newCalleeChunks(depth int) calleeChunks {
	words := calleeStamps + depth
	return calleeChunks{words: words, shift: uint(bits.Len(uint(max(chunkWords/words, 1)))) - 1}
}

// depth is how many stamps a callee has.
func (c *calleeChunks) depth() int { return c.words - calleeStamps }

func (c *calleeChunks) at(i int32) callee {
	k := int(i) & (1<<c.shift - 1) * c.words
	return c.chunks[i>>c.shift][k : k+c.words : k+c.words]
}

// reach makes room for one more callee than there are.
func (c *calleeChunks) reach(count int32) {
	if int(count>>c.shift) < len(c.chunks) {
		return
	}
	chunk := c.spare
	if c.spare = nil; chunk == nil {
		chunk = c.chunk()
	}
	c.chunks = append(c.chunks, chunk)
}

func (c *calleeChunks) chunk() []uint32 { return make([]uint32, c.words<<c.shift) }

// ahead returns how large a chunk is to be made ahead, and to be given to supply; 0 = none is: the last one is half used at most, or
// there is a spare one, or it is being made.
func (c *calleeChunks) ahead(count int32) (words int) {
	half := int32(1) << c.shift / 2
	if c.making || c.spare != nil || int(count>>c.shift)+1 != len(c.chunks) || count&(2*half-1) < half {
		return 0
	}
	c.making = true
	return c.words << c.shift
}

// supply hands over a chunk, unless callees have another size by now.
func (c *calleeChunks) supply(chunk []uint32) {
	c.making = false
	if len(chunk) == c.words<<c.shift {
		c.spare = chunk
	}
}

// touch has the operating system give the pages of fresh memory.
func touch(fresh []uint32) {
	for i := 0; i < len(fresh); i += pageWords {
		fresh[i] = 0
	}
}
