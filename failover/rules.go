package failover

import "github.com/outdial/outdial"

// DefaultRules returns the rows that are asked after Config.Rules, in their order: what ended without a response;
// what the callee declined, where it is no block, which never comes to the rows: see outdial.Result.Blocked (RFC 3261 §16.7
// forbids new branches after a 6xx; 606 alone is about media, and another carrier may do better); carriers that say only in
// words, of the phrase or of a Warning header, that they are full; Q.850 causes; SIP codes. Whatever no row matches stops.
//
// The caller owns the slice.
func DefaultRules() []Rule {
	const advance, stop = outdial.VerdictAdvance, outdial.VerdictStop
	rules := []Rule{
		{Name: "never_sent", Origin: outdial.OriginNeverSent, Verdict: advance},
		{Name: "transport", Origin: outdial.OriginTransport, Verdict: advance, Evidence: EvidenceHard},
		{Name: "no_trying", Origin: outdial.OriginNoTrying, Verdict: advance, Evidence: EvidenceHard},
		{Name: "no_progress", Origin: outdial.OriginNoProgress, Verdict: advance, Evidence: EvidenceSoft},
		{Name: "no_answer", Origin: outdial.OriginNoAnswer, Verdict: stop, Evidence: EvidenceCallee},
		{Name: "caller", Origin: outdial.OriginCaller, Verdict: stop},
		{Name: "caller_hangup", Origin: outdial.OriginCallerHangup, Verdict: stop},
		{Name: "callee_hangup", Origin: outdial.OriginCalleeHangup, Verdict: stop},
		{Name: "media_loss", Origin: outdial.OriginMediaLoss, Verdict: stop},
		{Name: "host", Origin: outdial.OriginHost, Verdict: stop},
		{Name: "cancelled", From: 487, Verdict: stop},

		{Name: "busy_everywhere", From: 600, Verdict: stop, Evidence: EvidenceCallee},
		{Name: "declined", From: 603, Verdict: stop, Evidence: EvidenceCallee},
		{Name: "nowhere", From: 604, Verdict: stop, Evidence: EvidenceNumberFault},
		{Name: "not_acceptable", From: 606, Verdict: advance},
		{Name: "global_failure", From: 600, To: 699, Verdict: stop},
	}
	for _, full := range []struct {
		phrase string
		of     outdial.Shortage
	}{
		{"channel limit", outdial.ShortageChannels},        // "User channel limit exceeded D1", D2, D3, D22
		{"cps limit", outdial.ShortageCPS},                 // "CPS limit exceeded", "CPS Limit reached P05", "Trunk CPS limit exceeded"
		{"calls per second", outdial.ShortageCPS},          // "calls per second exceeded"
		{"call rate", outdial.ShortageCPS},                 // "call rate exceeded"
		{"call limit", outdial.ShortageChannels},           // "concurrent call limit exceeded"
		{"concurrent calls", outdial.ShortageChannels},     // "too many concurrent calls"
		{"no circuit", outdial.ShortageChannels},           // "no circuit available"
		{"capacity exceeded", outdial.ShortageUnknown},     // "trunk capacity exceeded"
		{"call admission", outdial.ShortageUnknown},        // "call admission control"
		{"switching equipment c", outdial.ShortageUnknown}, // "switching equipment congestion"
	} {
		rules = append(rules, Rule{
			Name: "full_phrase", From: 400, To: 599, Phrase: full.phrase, Verdict: advance, Evidence: EvidenceFull, Shortage: full.of,
		})
	}
	rules = append(rules, Rule{ // RFC 3261 §20.43, warning 370
		Name: "full_warning", From: 400, To: 599, Header: Header{Name: "Warning", Contains: "insufficient bandwidth"},
		Verdict: advance, Evidence: EvidenceFull,
	})
	user := []outdial.Location{outdial.LocationUser, outdial.LocationRemotePrivate}
	return append(rules,
		Rule{Name: "full_cause", Causes: []uint8{34, 44}, Verdict: advance, Evidence: EvidenceFull, Shortage: outdial.ShortageChannels},
		Rule{Name: "full_cause", Causes: []uint8{42, 47}, Verdict: advance, Evidence: EvidenceFull},
		Rule{Name: "user_busy", Causes: []uint8{17}, Verdict: stop, Evidence: EvidenceCallee},
		Rule{Name: "user_silent", Causes: []uint8{18, 19}, Verdict: stop, Evidence: EvidenceCallee},
		Rule{Name: "user_absent", Causes: []uint8{20}, Verdict: stop, Evidence: EvidenceCallee},
		Rule{Name: "user_rejected", Causes: []uint8{21}, Locations: user, Verdict: stop, Evidence: EvidenceCallee},
		Rule{Name: "user_rejected", Causes: []uint8{21}, From: 480, To: 486, Verdict: stop, Evidence: EvidenceCallee},
		Rule{Name: "network_rejected", Causes: []uint8{21}, Verdict: advance, Evidence: EvidenceConfigFault},
		Rule{Name: "number_fault", Causes: []uint8{1, 22, 23, 26, 28}, Verdict: stop, Evidence: EvidenceNumberFault},
		Rule{Name: "no_route", Causes: []uint8{2, 3}, Verdict: advance},
		Rule{Name: "destination_out_of_order", Causes: []uint8{27}, Verdict: advance},
		Rule{Name: "closed_user_group", Causes: []uint8{55, 87}, Verdict: stop},
		Rule{Name: "not_authorised", Causes: []uint8{57}, Verdict: advance, Evidence: EvidenceConfigFault},
		Rule{Name: "bearer", Causes: []uint8{29, 58, 65, 70, 79, 88}, Verdict: advance},
		Rule{Name: "network_fault", Causes: []uint8{38, 41, 102, 111}, Verdict: advance, Evidence: EvidenceSoft},

		Rule{Name: "redirected", From: 300, To: 399, Verdict: outdial.VerdictRedirect},
		Rule{Name: "unauthorised", From: 401, Verdict: outdial.VerdictAuthenticate, Evidence: EvidenceConfigFault},
		Rule{Name: "forbidden", From: 402, To: 403, Verdict: advance, Evidence: EvidenceConfigFault},
		Rule{Name: "not_found", From: 404, Verdict: stop, Evidence: EvidenceNumberFault},
		Rule{Name: "proxy_unauthorised", From: 407, Verdict: outdial.VerdictAuthenticate, Evidence: EvidenceConfigFault},
		Rule{Name: "timeout", From: 408, Verdict: advance, Evidence: EvidenceSoft},
		Rule{Name: "gone", From: 410, Verdict: stop, Evidence: EvidenceNumberFault},
		Rule{Name: "identity_refused", From: 428, Verdict: advance, Evidence: EvidenceConfigFault},
		Rule{Name: "flow_failed", From: 430, Verdict: advance, Evidence: EvidenceSoft},
		Rule{Name: "identity_refused", From: 436, To: 438, Verdict: advance, Evidence: EvidenceConfigFault},
		Rule{Name: "unavailable", From: 480, Verdict: stop, Evidence: EvidenceCallee},
		Rule{Name: "number_fault", From: 484, To: 485, Verdict: stop, Evidence: EvidenceNumberFault},
		Rule{Name: "busy", From: 486, Verdict: stop, Evidence: EvidenceCallee},
		Rule{Name: "request_fault", From: 400, To: 499, Verdict: advance},
		Rule{Name: "not_implemented", From: 501, Verdict: advance},
		Rule{Name: "version", From: 505, Verdict: advance},
		Rule{Name: "too_large", From: 513, Verdict: advance},
		Rule{Name: "precondition", From: 580, Verdict: advance},
		Rule{Name: "server_fault", From: 500, To: 599, Verdict: advance, Evidence: EvidenceSoft},
	)
}
