// Package numplan knows the world's numbering plan as far as an outbound
// dialer needs it. It takes a number (ITU-T E.164) to its country, its calling code, its
// area, the time zones in which the callee plausibly is, the overlay group of the area code,
// and the class of the number.
//
// The data are three text files inside the package, data/countries.tsv (calling codes),
// data/areas.tsv (prefixes longer than a calling code) and data/names.tsv. Their
// headers document the columns. [Config] takes further rows of the same form, so that an
// operator corrects or refines an area without waiting for a release.
//
// Zones are a set because a number does not tell a place: area codes lie across zone
// borders, and a whole country may share one mobile prefix. A set is rather too wide than too
// narrow, and who must keep calling hours keeps them in all of its zones ([Plan.AllWithin]).
// Even so a set is about where the number belongs: ported and roaming phones are elsewhere.
package numplan
