package failover

import (
	"fmt"

	"github.com/outdial/outdial"
)

// Preset returns the rows of a named preset: "default", "telnyx", "twilio", "asterisk" or "strict-6xx". They are meant for an
// Override of the carrier, or for Config.Rules. The caller owns the slice.
func Preset(name string) ([]Rule, error) {
	switch name {
	case "default":
		return DefaultRules(), nil
	case "telnyx":
		return TelnyxRules(), nil
	case "twilio":
		return TwilioRules(), nil
	case "asterisk":
		return AsteriskRules(), nil
	case "strict-6xx":
		return Strict6xxRules(), nil
	}
	return nil, fmt.Errorf("failover: no preset %q: want default, telnyx, twilio, asterisk or strict-6xx", name)
}

// TelnyxRules tells what Telnyx has run out of by the code in its reason phrase: 403 with D1, D2, D3 or D22 for channels,
// 503 with P05 for calls per second.
func TelnyxRules() []Rule {
	const advance = outdial.VerdictAdvance
	return []Rule{
		{Name: "telnyx_channels", From: 403, Phrase: "limit exceeded D", Verdict: advance, Evidence: EvidenceFull, Shortage: outdial.ShortageChannels},
		{Name: "telnyx_cps", From: 503, Phrase: "P05", Verdict: advance, Evidence: EvidenceFull, Shortage: outdial.ShortageCPS},
	}
}

// TwilioRules tells what a Twilio trunk has run out of: it says so with 503 and in words.
func TwilioRules() []Rule {
	const advance = outdial.VerdictAdvance
	return []Rule{
		{Name: "twilio_cps", From: 503, Phrase: "CPS limit", Verdict: advance, Evidence: EvidenceFull, Shortage: outdial.ShortageCPS},
		{Name: "twilio_channels", From: 503, Phrase: "concurrent call", Verdict: advance, Evidence: EvidenceFull, Shortage: outdial.ShortageChannels},
	}
}

// AsteriskRules reads the Q.850 cause that a carrier which runs Asterisk puts into the header X-Asterisk-HangupCauseCode: one
// status, 503, stands there for circuits that are all in use and for those that are out of order, and there is no Reason.
func AsteriskRules() []Rule {
	const advance, stop = outdial.VerdictAdvance, outdial.VerdictStop
	cause := func(value string) Header { return Header{Name: "X-Asterisk-HangupCauseCode", Value: value} }
	return []Rule{
		{Name: "asterisk_busy", Header: cause("17"), Verdict: stop, Evidence: EvidenceCallee},
		{Name: "asterisk_silent", Header: cause("18"), Verdict: stop, Evidence: EvidenceCallee},
		{Name: "asterisk_silent", Header: cause("19"), Verdict: stop, Evidence: EvidenceCallee},
		{Name: "asterisk_absent", Header: cause("20"), Verdict: stop, Evidence: EvidenceCallee},
		{Name: "asterisk_channels", Header: cause("34"), Verdict: advance, Evidence: EvidenceFull, Shortage: outdial.ShortageChannels},
		{Name: "asterisk_channels", Header: cause("44"), Verdict: advance, Evidence: EvidenceFull, Shortage: outdial.ShortageChannels},
		{Name: "asterisk_full", Header: cause("42"), Verdict: advance, Evidence: EvidenceFull},
		{Name: "asterisk_full", Header: cause("47"), Verdict: advance, Evidence: EvidenceFull},
		{Name: "asterisk_fault", Header: cause("38"), Verdict: advance, Evidence: EvidenceSoft},
		{Name: "asterisk_fault", Header: cause("41"), Verdict: advance, Evidence: EvidenceSoft},
	}
}

// Strict6xxRules stops at every 6xx, as RFC 3261 §16.7 has it for a proxy. DefaultRules goes on after a 606, which is about
// media, where another carrier may do better.
func Strict6xxRules() []Rule {
	return []Rule{
		{Name: "busy_everywhere", From: 600, Evidence: EvidenceCallee},
		{Name: "declined", From: 603, Evidence: EvidenceCallee},
		{Name: "nowhere", From: 604, Evidence: EvidenceNumberFault},
		{Name: "global_failure", From: 600, To: 699},
	}
}
