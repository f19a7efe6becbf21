package kpi

// CodeTable is the version of the table of codes behind Classify. It stands in every Report, so that two reports can
// be compared; it changes whenever any code changes its class.
const CodeTable = 2

// causeClass is the class of a Q.850 cause where the value alone decides; ClassUnknown = it says nothing. Values
// without a name count as the "unspecified" of their class, as Q.850 §2.2.7 asks: 32–47 resources, 48–63 service
// not available, 64–79 not implemented, 80–111 protocol, 112–127 interworking.
func causeClass(value uint8) Class {
	switch value {
	case 0, 16, 26, 30, 31:
		return ClassUnknown
	case 17:
		return ClassUserBusy
	case 19:
		return ClassNoAnswer
	case 20:
		return ClassAbsent
	case 1, 4, 5, 22, 23, 28:
		return ClassBadNumber
	case 50, 52, 53, 54, 55, 57, 87: // not subscribed, barred, not authorized; RFC 3398 gives 403
		return ClassPolicyBlock
	case 8, 9, 34, 42, 44, 46, 47:
		return ClassCongestion
	case 2, 3, 6, 7, 25, 27, 29, 38, 39, 40, 41, 43:
		return ClassNetworkFailure
	}
	switch {
	case value < 32 || value > 127:
		return ClassUnknown
	case value < 48:
		return ClassCongestion
	}
	return ClassNetworkFailure
}

// statusClass is the class of a final SIP status of 300 to 699 where the status alone decides. Codes without a
// meaning of their own count as the x00 of their class (RFC 3261 §8.1.3.2), but 6xx as the callee's refusal
// (RFC 3398 §8.2.6.1 gives it the user's location).
func statusClass(code uint16) Class {
	switch code {
	case 301, 404, 410, 484, 485, 604:
		return ClassBadNumber
	case 486, 600:
		return ClassUserBusy
	case 603, 607:
		return ClassReject
	case 401, 402, 403, 407, 428, 433, 436, 437, 438, 608:
		return ClassPolicyBlock
	case 503:
		return ClassCongestion
	case 606: // not acceptable: the description of the session, as 488
		return ClassNetworkFailure
	}
	switch {
	case code < 400:
		return ClassUnknown
	case code < 600:
		return ClassNetworkFailure
	}
	return ClassReject
}
