package failover

import (
	"fmt"

	"github.com/outdial/outdial"
)

// Preset returns the rows of a named preset: "default", "telnyx", "twilio" or "strict-6xx". They are meant for an
// Override of the carrier, or for Config.Rules. The caller owns the slice.
func Preset(name string) ([]Rule, error) {
	switch name {
	case "default":
		return DefaultRules(), nil
	case "telnyx":
		return TelnyxRules(), nil
	case "twilio":
		return TwilioRules(), nil
	case "strict-6xx":
		return Strict6xxRules(), nil
	}
	return nil, fmt.Errorf("failover: no preset %q: want default, telnyx, twilio or strict-6xx", name)
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
