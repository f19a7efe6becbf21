package numplan

// Class says what kind of number a prefix holds, where the prefix tells it reliably.
type Class uint8

// The classes. The zero value is General.
const (
	General       Class = iota // fixed or mobile: the prefix does not tell
	Mobile                     // mobile only
	TollFree                   // the callee pays
	SharedCost                 // caller and callee share the cost
	Premium                    // the caller pays for a service
	Personal                   // follows a person (UPT, +1 5XX), at a rate that is not that of a place
	NonGeographic              // VoIP, machines, corporate networks, satellites
	Unassigned                 // the prefix is not in use
	numClasses
)

// classNames are indexed by Class and are the words of the data files.
var classNames = [numClasses]string{"general", "mobile", "tollfree", "shared", "premium", "personal", "nongeo", "unassigned"}

// String returns the word of the data files, such as "tollfree".
func (c Class) String() string {
	if c < numClasses {
		return classNames[c]
	}
	return "class(?)"
}

func parseClass(s string) (Class, bool) {
	if s == empty {
		return General, true
	}
	for c, name := range classNames {
		if s == name {
			return Class(c), true
		}
	}
	return 0, false
}
