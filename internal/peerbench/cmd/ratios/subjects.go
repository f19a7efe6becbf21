package main

// subject is what one benchmark measures, and what is asked of it.
type subject struct {
	bench string
	title string
	text  string   // what the two sides do, and where they differ
	units []string // figures that are shown; none = ns/op
	peers []peer
	goals []goal
}

// peer is a side of the benchmark, and what it is.
type peer struct{ side, title string }

// goal is the most that a figure may be: of outdial alone, or with a peer as its multiple of the peer's.
type goal struct {
	test string // case; "" = all
	peer string // "" = outdial alone
	unit string
	most float64
}

var subjects = []subject{
	{
		bench: "Number", title: "Reading a telephone number",
		text: "Numbers of five countries as `+12125550123` (plain) and as people write them (written). phonenumbers also " +
			"takes the number apart by its country's plan; both give the same digits.",
		peers: []peer{{"phonenumbers", "nyaruka/phonenumbers Parse"}},
		goals: []goal{{"plain", "", "ns/op", 20}, {"", "", "allocs/op", 0}},
	},
	{
		bench: "Prefix", title: "Longest prefix",
		text: "Random callees in LERG-shaped decks of 200,000 and 884,000 prefixes. bart is an IP routing table with a " +
			"digit a nibble of an IPv6 address: coded for each look-up, or (coded beforehand) without that part of the work. " +
			"The map is probed for each length from nine digits down.",
		units: []string{"ns/op", "B/prefix"},
		peers: []peer{
			{"trie", "10-ary pointer trie"},
			{"map", "Go map, a probe a length"},
			{"bart", "gaissmai/bart Table"},
			{"bart_coded", "bart Table, coded beforehand"},
			{"bart_fast_coded", "bart Fast, coded beforehand"},
		},
		goals: []goal{
			{"884000", "bart", "ns/op", .25},
			{"884000", "map", "ns/op", .5},
			{"884000", "trie", "ns/op", 1},
			{"884000", "trie", "B/prefix", 1. / 3},
			{"884000", "", "B/prefix", 10},
			{"", "", "allocs/op", 0},
		},
	},
	{
		bench: "Route", title: "Which trunk",
		text: "A whole decision among eight carriers with 100,000 prefixes each: the rule, each carrier's rate, the order. The " +
			"peer is what dialers write: under a read lock, a map of prices a carrier, probed from nine digits down, and " +
			"sort.Slice. By cost per contact ours draws from posteriors, spends a twentieth of the calls on exploring within a " +
			"budget of calls and money (which ones it then books, and is told that they did not leave), and says how likely its " +
			"choice was; the peer divides by the answer ratio that it counted.",
		peers: []peer{{"map_and_sort", "map a carrier, sort.Slice, locked"}},
		goals: []goal{
			{"", "map_and_sort", "ns/op", 1},
			{"cost-per-contact", "", "ns/op", 2000},
			{"", "", "allocs/op", 0},
		},
	},
	{
		bench: "Channels", title: "Channels of a trunk",
		text: "One channel of 100 is taken and given back, from one goroutine and from one a core; and the same on a trunk that " +
			"keeps 5 channels free for each of eight campaigns, for a call of one of them (floors). Ours gives a lease that can " +
			"be released twice without harm, and checks the trunk's state, ceilings, floors and reservation; the peers count.",
		peers: []peer{
			{"semaphore", "x/sync/semaphore TryAcquire, Release"}, {"bulkhead", "failsafe-go Bulkhead"}, {"channel", "buffered channel"},
		},
		goals: []goal{{"", "semaphore", "ns/op", 2}, {"", "bulkhead", "ns/op", 1 / 1.3}, {"", "", "allocs/op", 0}},
	},
	{
		bench: "Rate", title: "Calls per second",
		text: "A limit of 1,000 a second: a call each millisecond of model time (admit), calls when the second is used up " +
			"(refuse), and calls by the machine's clock, nearly all refused, from one goroutine (clock) and one a core " +
			"(clock_parallel). Ours never exceeds the limit in any sliding second. uber/ratelimit sleeps instead of refusing, " +
			"so it stands beside admissions only, with a clock that does not sleep; and it keeps a spacing, not a count.",
		peers: []peer{{"time_rate", "x/time/rate Allow, AllowN"}, {"uber", "uber/ratelimit Take"}},
		goals: []goal{{"", "time_rate", "ns/op", 1}, {"", "", "allocs/op", 0}},
	},
	{
		bench: "Crowd", title: "Calls per second under contention",
		text: "256 goroutines, each by its own reading of the clock, ask for 1.3 s as fast as they can at a limit of 10,000 a " +
			"second. worst-second is the most that certainly fell into one second; over-% is what goes beyond the limiter's " +
			"own promise, in percent of the limit. A trunk promises its limit. A token bucket promises its limit and its " +
			"burst, which is 100 or a second's worth here. It exceeds that when a caller with an older reading of the clock " +
			"sets its time back; how often is chance, so see the greatest.",
		units: []string{"over-%", "worst-second"},
		peers: []peer{{"time_rate", "x/time/rate AllowN"}},
		goals: []goal{{"", "", "over-%", 0}},
	},
	{
		bench: "Turns", title: "Choice by weight alone",
		text: "Without a lock, among 2 and 10 targets, all of them or all but one. Ours (Tijdeman's algorithm) keeps each " +
			"target within 1 − 1/(2n−2) calls of its share; smooth weighted round robin does not. The latter is nginx's, " +
			"written here.",
		peers: []peer{{"swrr", "smooth weighted round robin"}},
		goals: []goal{{"10_all", "swrr", "ns/op", 1.5}, {"10_one_out", "swrr", "ns/op", 1.5}, {"", "", "allocs/op", 0}},
	},
	{
		bench: "Choice", title: "Choice among trunks",
		text: "The whole of failover's Pick: health by trunk and destination, tiers, probes, turns by weight. While the same " +
			"trunks usually take part, their turns repeat and are a step of a counter; the call in ten that hunts on to a second " +
			"trunk (hunting, 1.1 choices) takes its turn under a lock. The peer is the choice by weight with a lock and nothing else.",
		peers: []peer{{"swrr", "smooth weighted round robin, locked"}},
		goals: []goal{
			{"10_all", "swrr", "ns/op", 1.5},
			{"2_one_out", "swrr", "ns/op", 1.5},
			{"10_one_out", "swrr", "ns/op", 1.5},
			{"10_hunting", "swrr", "ns/op", 1.5},
			{"", "", "allocs/op", 0},
		},
	},
	{
		bench: "Decision", title: "Choice and report",
		text: "A choice among 3 and 10 trunks, and the report that the callee's phone rings. gobreaker guards one target and " +
			"chooses none; beside it, what has both: smooth weighted round robin in front of a breaker for each target.",
		peers: []peer{
			{"gobreaker", "sony/gobreaker Execute"}, {"swrr_and_gobreaker", "smooth weighted round robin and gobreaker"},
		},
		goals: []goal{{"", "gobreaker", "ns/op", 1.5}, {"", "", "allocs/op", 0}},
	},
	{
		bench: "Meter", title: "Counting an attempt",
		text: "Started, Progressed, Answered and Ended of one attempt, under four keys: trunk, group, pool and program; trunk " +
			"and group; trunk; program. There are about 1,300 of them (narrow) and 8,000 (wide), at 50 attempts a second of " +
			"model time. Ours keeps a sliding hour with all counters and three quantile sketches; client_golang keeps three " +
			"counters and two histograms for each key (what ASR, NER, PDD and ACD need), since its start, and looks them up by " +
			"label values.",
		peers: []peer{{"prometheus", "client_golang CounterVec, HistogramVec"}},
		goals: []goal{{"", "prometheus", "ns/op", .125}, {"", "", "ns/op", 1000}, {"", "", "allocs/op", 0}},
	},
	{
		bench: "Journal", title: "Journal",
		text:  "One record appended without fsync, written or stored in a mapping, and a bare write(2) of as many bytes to a file beside it.",
		peers: []peer{{"write", "write(2) of the same bytes"}},
		goals: []goal{{"mapped", "write", "ns/op", .75}, {"", "write", "ns/op", 1.5}, {"", "", "allocs/op", 0}},
	},
	{
		bench: "Reserve", title: "Caller ID",
		text: "A caller ID of the callee's area code out of 10,000, 100,000 and a million numbers in 359 area codes. Ours counts it in " +
			"exact sliding windows, keeps it with its callee, caps the callee's attempts, and is given back here too. The " +
			"peers are what dialers do: walk a list, the whole or the area code's, for the number used least today; they " +
			"know no window but the calendar day, no callee and no lease. The callees are known, or (new) never called before: ours " +
			"remembers each.",
		peers: []peer{{"scan", "scan of all numbers"}, {"map_and_scan", "map by area code, scan of one list"}},
		units: []string{"ns/op", "p50-ns", "p99-ns"},
		goals: []goal{
			{"100000", "", "p50-ns", 1000},
			{"100000", "", "p99-ns", 5000},
			{"100000_new", "", "p50-ns", 1000},
			{"100000_new", "", "p99-ns", 5000},
			{"1000000", "", "p50-ns", 2000},
			{"1000000_new", "", "p50-ns", 2000},
			{"1000000_new", "", "p99-ns", 10_000},
			{"1000000", "map_and_scan", "ns/op", 1},
			{"100000", "scan", "ns/op", .05},
			{"", "", "allocs/op", 0},
		},
	},
	{
		bench: "RTP", title: "RTP statistics",
		text:  "A packet of 20 ms. Ours parses the header and keeps loss, order and jitter; pion parses the header.",
		peers: []peer{{"pion", "pion/rtp Header.Unmarshal alone"}},
		goals: []goal{{"", "", "allocs/op", 0}},
	},
}
