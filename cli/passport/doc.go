// Package passport builds, signs and verifies PASSporTs: the tokens by which a caller ID is attested (STIR/SHAKEN). It
// speaks RFC 8225 (PASSporT), RFC 8588 (the shaken extension), RFC 8224 (the Identity header) and the verstat parameter
// of 3GPP TS 24.229, with the cryptography of the standard library alone.
//
//	signer, err := passport.NewKeySigner(key) // or a Signer of your own: an HSM, a signing service
//	id, err := passport.Sign(ctx, signer, &passport.Passport{
//		X5U: "https://cert.example.org/passport.cer", Type: passport.TypeShaken, Attest: passport.AttestA,
//		Orig: passport.TN(from), Dest: passport.TNs(to), IssuedAt: now, OrigID: uuid,
//	})
//	// Identity: id.String()
//
// Which attestation a call gets is the decision of the party that signs, by what it knows of the caller: package cli
// predicts it (Governor.Attestation) and never decides it. A host that only carries Identity headers passes their values
// on byte by byte: [ParseIdentity] is for reading them, not for writing them again.
//
// Nothing here fetches: what stands at an x5u is the host's to get and to cache, and [CertificateKey] turns it into a key.
package passport
