package kpi

import (
	"math"

	"github.com/outdial/outdial"
)

// LabelledCalls is the share of calls whose caller ID was labelled or blocked by some analytics engine when they were
// started, of those whose standing was known, and beside it the share whose standing was not known, of all.
func (c *Cell) LabelledCalls() (labelled, unknown Ratio) { return labelShares(&c.Labels) }

// labelShares are the share of what is labelled or blocked, of what is known, and of what is not known, of all.
func labelShares(by *[LabelStatuses]uint64) (labelled, unknown Ratio) {
	var all uint64
	for _, n := range by {
		all += n
	}
	known := all - by[outdial.LabelUnknown]
	return Ratio{K: by[outdial.LabelLabelled] + by[outdial.LabelBlocked], N: known}, Ratio{K: by[outdial.LabelUnknown], N: all}
}

// AbandonedRate is the share of calls that no agent took of those that a person answered and a machine had dialled: the
// safe-harbour rate of 47 CFR 64.1200(a)(7) and 16 CFR 310.4(b)(4), whose limit is 3 % over a campaign and 30 days. Calls
// answered by machines are in neither.
func (c *Cell) AbandonedRate() Ratio { return Ratio{K: c.Abandoned, N: c.LiveAnswers} }

// BlockRate is the share of seizures that the callee's word or an analytics engine refused: 607 (RFC 8197), 608 (RFC 8688)
// and "603+" (ATIS-1000099), whether they are the status or stand in a Reason header.
func (c *Cell) BlockRate() Ratio { return Ratio{K: c.Blocked, N: c.Known()} }

// AbnormalRelease is the share of conversations that something else than the people on them ended: media or signalling
// was lost, or the BYE brought a Q.850 cause other than normal clearing.
func (c *Cell) AbnormalRelease() Ratio { return Ratio{K: c.Abnormal, N: c.Ended} }

// EarlyMediaRate is the share of legs with a session description before any final response. SIP does not say what it
// carried (RFC 3960 §3.2): it is no answer.
func (c *Cell) EarlyMediaRate() Ratio { return Ratio{K: c.EarlyMedia, N: c.Known()} }

// NoRingAnswers is the share of answers without any response beyond 100 before them, and InstantAnswers of those within a
// second of the INVITE or of the first 180: signs of false answer supervision, of network voicemail, or of a callee's
// machine. They mean something beside the same destinations on other carriers (RingDifference).
func (c *Cell) NoRingAnswers() Ratio { return Ratio{K: c.AnswerNoRing, N: c.Classes[ClassAnswer]} }

// InstantAnswers is described at NoRingAnswers.
func (c *Cell) InstantAnswers() Ratio { return Ratio{K: c.AnswerAtOnce, N: c.Classes[ClassAnswer]} }

// Contact is the share of seizures that became a contact, by dispositions.
func (c *Cell) Contact() Ratio { return Ratio{K: c.Contacts, N: c.Known()} }

// SER is the session establishment ratio (RFC 6076 §4.6): 200 of all but 3xx. The published formula leaves out 3xx alone;
// 401, 402 and 407, which drafts and some dashboards leave out too, are no seizures here in the first place.
func (c *Cell) SER() Ratio { return Ratio{K: c.Classes[ClassAnswer], N: less(c.Known(), c.Redirected)} }

// SEER is the session establishment effectiveness ratio (RFC 6076 §4.7): 200, 480, 486, 600 and 603 of all but 3xx.
// It counts legs with a known outcome rather than INVITEs, so that digest authentication does not halve it.
func (c *Cell) SEER() Ratio { return Ratio{K: c.Effective, N: less(c.Known(), c.Redirected)} }

// ISA is the share of ineffective session attempts (RFC 6076 §4.8): 408, 500, 503 and 504, of all. A leg that ended without
// any final response, by a timer or the transport, counts as 408 or 503, as RFC 3261 §8.1.3.1 has it treated; one that the caller gave
// up does not.
func (c *Cell) ISA() Ratio {
	return Ratio{K: c.Ineffective + c.Silent - c.SilentGiven, N: c.Known()}
}

// SCR is the session completion ratio (RFC 6076 §4.9): sessions that were answered and ended as they should, of all
// attempts. A dialog that died by lack of response or of media is not complete. Answers are counted by attempt and ends by
// end, so it is meant for windows much longer than calls.
func (c *Cell) SCR() Ratio { return Ratio{K: less(c.Ended, c.Abnormal), N: c.Known()} }

// ratioOfSums is a Ratio from counts that may exceed each other while calls are under way.
func ratioOfSums(k, n uint64) Ratio { return Ratio{K: min(k, n), N: n} }

// NERs are what five products call network effectiveness, from one set of counts: they are not comparable with each other,
// and the table that says why is docs/kpi.md.
type NERs struct {
	E425        Ratio // ITU-T E.425 by outcome class, with Q.850 where it comes: NER
	SEER        Ratio // RFC 6076 §4.7: 200, 480, 486, 600, 603
	OpenSIPS    Ratio // qrouting CCR: any final reply but 5xx and 6xx, and no timeout of our own
	SIPExporter Ratio // sip-exporter: 100 % less ISA
	VoIPmonitor Ratio // 2xx, any 4xx, 600, 603, 604, 607, 608
}

// NERs returns the five.
func (c *Cell) NERs() NERs {
	known, answers := c.Known(), c.Classes[ClassAnswer]
	return NERs{
		E425: c.NER(), SEER: c.SEER(),
		OpenSIPS:    ratioOfSums(known-min(known, c.Uncompleted+c.Silent), known),
		SIPExporter: ratioOfSums(known-min(known, c.ISA().K), known),
		VoIPmonitor: ratioOfSums(answers+c.ClientError, known),
	}
}

// AnswerTypes says who answered, from dispositions: raw and human answer ratio side by side.
type AnswerTypes struct {
	By      [AnswerKinds]uint64 // answers by outdial.AnsweredBy; those without a disposition are unknown
	Raw     Ratio               // ASR: whatever answered
	Human   Ratio               // answers that were classified as human, of seizures whose outcome is known
	Machine Ratio               // everything but human, of the answers that were classified
}

// AnswerTypes returns the breakdown; it sums to the answers.
func (c *Cell) AnswerTypes() AnswerTypes {
	t := AnswerTypes{By: c.Disposed, Raw: c.ASR()}
	var told uint64
	for by, n := range c.Disposed {
		if outdial.AnsweredBy(by) != outdial.AnsweredByUnknown {
			told += n
		}
	}
	t.By[outdial.AnsweredByUnknown] = less(c.Answers, told)
	human := c.Disposed[outdial.AnsweredByHuman]
	t.Human = Ratio{K: human, N: c.Known()}
	t.Machine = Ratio{K: told - human, N: told}
	return t
}

// Classifier says how good a machine is at telling humans from machines on the line: measured on calls whose truth is
// known.
type Classifier struct {
	Sensitivity Ratio // humans that it called human, of humans
	Specificity Ratio // machines that it called machine, of machines
}

// Correct returns the true share behind an apparent one, corrected for the classifier's errors (Rogan and Gladen 1978),
// with an interval at a level of confidence that takes in both the sampling error and what is not known about the classifier.
// It returns false where a denominator is 0, or the classifier is no better than chance.
func (f Classifier) Correct(apparent Ratio, level float64) (p, low, high float64, ok bool) {
	a, ok1 := apparent.Value()
	se, ok2 := f.Sensitivity.Value()
	sp, ok3 := f.Specificity.Value()
	j := se + sp - 1
	if !ok1 || !ok2 || !ok3 || j <= 0 || !(level > 0 && level < 1) {
		return 0, 0, 0, false
	}
	p = (a + sp - 1) / j
	// The delta method (Rogan and Gladen 1978), with the adjusted counts of Lang and Reiczigel 2014, which keep the
	// coverage where shares come near 0 or 1.
	z := math.Sqrt2 * math.Erfinv(level)
	adjust := func(r Ratio, add float64) (v, n float64) {
		n = float64(r.N) + 2*add
		return (float64(min(r.K, r.N)) + add) / n, n
	}
	av, an := adjust(apparent, z*z/2)
	sv, sn := adjust(f.Sensitivity, 1)
	cv, cn := adjust(f.Specificity, 1)
	jj := sv + cv - 1
	if jj <= 0 {
		return 0, 0, 0, false
	}
	mid := (av + cv - 1) / jj
	variance := (av*(1-av)/an + cv*(1-cv)/cn*(1-mid)*(1-mid) + sv*(1-sv)/sn*mid*mid) / (jj * jj)
	shift := 2 * z * z * (mid*sv*(1-sv)/sn - (1-mid)*cv*(1-cv)/cn)
	half := z * math.Sqrt(variance)
	clamp := func(v float64) float64 { return min(max(v, 0), 1) }
	return clamp(p), clamp(mid + shift - half), clamp(mid + shift + half), true
}
