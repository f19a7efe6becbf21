package outdial

// Shortage is what a carrier has run out of, as far as its rejection tells. failover's verdict table reads it from a
// Result, and trunk learns the ceiling of a trunk from it, channels and calls per second apart.
type Shortage uint8

// Kinds of shortage.
const (
	ShortageNone     Shortage = iota // the rejection says nothing about capacity
	ShortageChannels                 // no further concurrent call
	ShortageCPS                      // no further call within this second
	ShortageUnknown                  // it was full, without saying of what
)

// String returns "none", "channels", "cps" or "unknown".
func (s Shortage) String() string { return nameOf(s, "none", "channels", "cps", "unknown") }
