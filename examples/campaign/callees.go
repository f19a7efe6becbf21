package main

import (
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/outdial/outdial"
)

// Numbers are fictional ones: <area> 555-01xx is set aside for that. In each area code the first lines are callees,
// the others are the campaign's own caller IDs.
const (
	calleeLines = 70
	callerLines = 30
	areaCodes   = `201 202 203 205 206 207 208 209 210 212 213 214 215 216 217 218 219 224 225 228
		229 231 234 239 240 248 251 252 253 254 256 260 262 267 269 270 276 281 301 302
		303 304 305 307 308 309 310 312 313 314 315 316 317 318 319 320 321 323 325 330
		334 336 337 347 351 352 360 361 385 386 401 402 404 405 406 407 408 409 410 412
		413 414 415 417 419 423 424 425 430 432 434 435 440 443 463 469 478 479 480 484`
)

var (
	maxCallees = calleeLines * len(strings.Fields(areaCodes))
	maxCallers = callerLines * len(strings.Fields(areaCodes))
)

// fictional returns the number of a line, 0 to 99, in an area.
func fictional(area string, line int) outdial.Number {
	n, _ := strconv.ParseUint("1"+area+"55501"+strconv.Itoa(line/10)+strconv.Itoa(line%10), 10, 64)
	return outdial.Number(n)
}

// outcome is what the called party does, whichever carrier brings the call.
type outcome string

// Outcomes that are the callee's own: another carrier would have brought the same.
const (
	human     outcome = "human"
	voicemail outcome = "voicemail"
	busy      outcome = "busy"
	noAnswer  outcome = "no answer"
	declined  outcome = "declined"
	absent    outcome = "absent"
	badNumber outcome = "bad number"
	blocked   outcome = "blocked" // on the callee's side, for the number that is shown
)

// mix is how often each outcome comes where the carrier does its job: an ASR of 23 %.
var mix = []struct {
	outcome outcome
	share   float64
}{
	{human, 0.17}, {voicemail, 0.06}, {busy, 0.09}, {noAnswer, 0.44}, {declined, 0.05}, {absent, 0.11}, {badNumber, 0.08},
}

// answers reports whether the outcome is an answered call.
func (o outcome) answers() bool { return o == human || o == voicemail }

// Bounds of a conversation with a human.
const (
	minTalk = 8 * time.Second
	maxTalk = 110 * time.Second
)

// callee is one person to call. Times are model time.
type callee struct {
	Number  outdial.Number
	Outcome outcome
	Ring    time.Duration // until somebody answers, or the exchange gives up
	Talk    time.Duration // of a human, from the answer
	HangsUp bool          // the callee ends the conversation, not the agent
}

// person is a pure function of the seed and the number, so that carriers and dialer know the same person without
// talking to each other.
func person(seed uint64, n outdial.Number) callee {
	rng := rand.New(rand.NewPCG(seed, uint64(n)))
	c := callee{Number: n, Outcome: badNumber}
	for x, i := rng.Float64(), 0; i < len(mix); i++ {
		if x -= mix[i].share; x < 0 {
			c.Outcome = mix[i].outcome
			break
		}
	}
	c.Ring = between(rng, 4, 16)
	switch c.Outcome {
	case voicemail:
		c.Ring = between(rng, 2, 20)
	case noAnswer:
		c.Ring = between(rng, 12, 32)
	case declined:
		c.Ring = between(rng, 2, 6)
	}
	talk := time.Duration(45 * math.Exp(0.6*rng.NormFloat64()) * float64(time.Second))
	c.Talk = min(max(talk, minTalk), maxTalk)
	c.HangsUp = rng.Float64() < 0.5
	return c
}

// between draws evenly from a span of seconds.
func between(rng *rand.Rand, from, to float64) time.Duration {
	return time.Duration((from + (to-from)*rng.Float64()) * float64(time.Second))
}

// metro is the area code that one callee in metroEvery is in, as long as there are some: big enough to see what one
// carrier does to one destination.
const (
	metro      = "212"
	metroEvery = 8
)

// inMetro reports whether a number is in the metro area.
func inMetro(n outdial.Number) bool { return strings.HasPrefix(n.String(), "+1"+metro) }

// callees returns whom to call, each once, in the order of the seed.
func callees(seed uint64, n int) []callee {
	var numbers []outdial.Number
	for _, area := range strings.Fields(areaCodes) {
		for line := range calleeLines {
			numbers = append(numbers, fictional(area, line))
		}
	}
	rng := rand.New(rand.NewPCG(seed, 0x63616c6c656573))
	rng.Shuffle(len(numbers), func(i, j int) { numbers[i], numbers[j] = numbers[j], numbers[i] })
	var near, others []outdial.Number
	for _, number := range numbers {
		if inMetro(number) {
			near = append(near, number)
		} else {
			others = append(others, number)
		}
	}
	list := make([]callee, 0, n)
	for i := range n {
		from := &others
		if i%metroEvery == 0 && len(near) > 0 || len(others) == 0 {
			from = &near
		}
		list = append(list, person(seed, (*from)[0]))
		*from = (*from)[1:]
	}
	return list
}

// callers returns n caller IDs, spread over the area codes.
func callers(n int) []outdial.Number {
	areas := strings.Fields(areaCodes)
	list := make([]outdial.Number, 0, n)
	for i := range n {
		list = append(list, fictional(areas[i%len(areas)], calleeLines+i/len(areas)))
	}
	return list
}
