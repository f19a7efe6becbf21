package numplan

import "strconv"

// ZoneSet names a set of time zones of one [Plan]. Zero is the empty set: nothing is
// known about where the callee is.
type ZoneSet uint16

// Entry is what the plan knows about the numbers that begin with one prefix. It is
// a plain value; an Entry and its ZoneSet belong to the Plan that made them.
type Entry struct {
	Area        uint64  // the matched prefix, calling code included: 1212, or 44 where no area is known
	Region      string  // state or province, as in ISO 3166-2 after the hyphen: "NY"; "NS/PE" where an area serves several; "" = unknown
	ID          uint32  // position in Areas; 0 … Len()-1
	CallingCode uint16  // ITU-T E.164 country code, 1 … 999
	Overlay     uint16  // names the area codes that serve the same region, such as 212 for 212, 332, 646, 917; 0 = none
	Zones       ZoneSet // every zone in which the callee plausibly is
	Country     Country // zero where the prefix belongs to no one country: +800, +1 900
	Class       Class
	MinLen      uint8 // fewest digits of a national number, the calling code not counted
	MaxLen      uint8 // most digits of a national number
	Split       bool  // the zones do not keep the same time all year: local time is uncertain
}

// Country is an ISO 3166-1 alpha-2 code; zero means none.
type Country [2]byte

// String returns the two letters, or "".
func (c Country) String() string {
	if c == (Country{}) {
		return ""
	}
	return string(c[:])
}

// Group returns the name of the destination group that statistics of this entry
// belong to. It stays the same when the data are refined elsewhere:
//
//	"US/212", "CA/416", "JM/876"  area codes of calling code 1
//	"BR/11"                       other areas with a region
//	"GB", "RU"                    all else of a country, whatever area matched
//	"+1/800", "+870"              what belongs to no one country
//
// Several entries may share one group. It allocates; look the name up once per
// entry, by ID.
func (e Entry) Group() string {
	group := e.Country.String()
	code := strconv.Itoa(int(e.CallingCode))
	if group == "" {
		group = "+" + code
	}
	area := strconv.FormatUint(e.Area, 10)[len(code):]
	if area == "" || e.CallingCode != nanp && e.Region == "" {
		return group
	}
	return group + "/" + area
}

// nanp is the calling code of the North American Numbering Plan.
const nanp = 1
