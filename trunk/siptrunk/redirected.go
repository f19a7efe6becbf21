package siptrunk

import "github.com/outdial/outdial"

// Route returns where an attempt would go and whom it would present, for a host that redirects its caller (302) instead of placing it:
// the URI of the callee on the trunk, and the caller ID as the value of a P-Asserted-Identity header field, "" when there is none,
// or the trunk is told of it by From alone (AssertedNone). The error is ErrUnknownTrunk.
func (d *Dialer) Route(a *outdial.Attempt) (uri, identity string, err error) {
	r, err := d.route(a.Candidate.Trunk)
	if err != nil {
		return "", "", err
	}
	if r.Asserted != AssertedNone {
		identity = r.identityOf(a.CLI)
	}
	return r.requestURI(a.Call.To) + r.Transport.uriParam(), identity, nil
}
