package passport_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli/passport"
)

// Example signs a call's caller ID, and verifies it as the terminating side does.
func Example() {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	signer, err := passport.NewKeySigner(key)
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Date(2026, 11, 2, 15, 0, 0, 0, time.UTC)
	from, to := outdial.MustNumber("+12155551212"), outdial.MustNumber("+12125551213")
	id, err := passport.Sign(context.Background(), signer, &passport.Passport{
		X5U: "https://cert.example.org/passport.cer", Type: passport.TypeShaken, Attest: passport.AttestA,
		Orig: passport.TN(from), Dest: passport.TNs(to), IssuedAt: now,
		OrigID: "123e4567-e89b-12d3-a456-426655440000",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	// On the other side: the value of the Identity header, and the key of the certificate at id.Info.
	read, _ := passport.ParseIdentity(id.String())
	p, err := passport.Verify(now.Add(time.Second), read, &key.PublicKey, from, to)
	fmt.Println(p.Attest, p.Orig.TN, err)
	// Output: A +12155551212 <nil>
}

// A Passport in the deterministic form that is signed.
func ExamplePassport() {
	p := passport.Passport{
		X5U: "https://cert.example.org/passport.cer", Orig: passport.TN(12155551212),
		Dest: passport.TNs(12125551213), IssuedAt: time.Unix(1443208345, 0),
	}
	fmt.Printf("%s\n%s\n", p.Header(), p.Claims())
	// Output:
	// {"alg":"ES256","typ":"passport","x5u":"https://cert.example.org/passport.cer"}
	// {"dest":{"tn":["12125551213"]},"iat":1443208345,"orig":{"tn":"12155551212"}}
}

// A KeySigner does not show its key.
func ExampleKeySigner() {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	signer, _ := passport.NewKeySigner(key)
	fmt.Printf("%+v\n", signer)
	// Output: passport.KeySigner(redacted)
}

// An Identity is the value of the SIP header.
func ExampleIdentity() {
	id, err := passport.ParseIdentity("eyJ.eyJ.c2ln;info=<https://cert.example.org/passport.cer>;ppt=shaken")
	fmt.Println(id.Info, id.Type, err)
	// Output: https://cert.example.org/passport.cer shaken <nil>
}

// A Verstat tells how the terminating network verified the number.
func ExampleVerstat() {
	v, attest := passport.ParseVerstat("<sip:+12155551212;verstat=TN-Validation-Passed-A@example.com>")
	fmt.Println(v, attest)
	// Output: TN-Validation-Passed A
}

// An Attestation is one letter.
func ExampleAttestation() {
	fmt.Println(passport.AttestA, passport.AttestB, passport.AttestC)
	// Output: A B C
}

// A Party is a number or a URI.
func ExampleParty() {
	p := passport.Passport{Orig: passport.Party{URI: "sip:desk@example.com"}, Dest: passport.TNs(12125551213)}
	fmt.Printf("%s\n", p.Claims()[:50])
	// Output: {"dest":{"tn":["12125551213"]},"iat":-62135596800,
}

// Parties are all who are called.
func ExampleParties() {
	p := passport.Passport{Orig: passport.TN(12155551212), Dest: passport.TNs(12125551213, 13105551214)}
	fmt.Printf("%s\n", p.Claims()[:40])
	// Output: {"dest":{"tn":["12125551213","1310555121
}

// vault stands for an HSM or a signing service: the key never leaves it.
type vault struct{ key *ecdsa.PrivateKey }

func (v vault) Sign(_ context.Context, digest [32]byte) (sig [passport.SignatureSize]byte, err error) {
	r, s, err := ecdsa.Sign(rand.Reader, v.key, digest[:])
	if err == nil {
		r.FillBytes(sig[:32])
		s.FillBytes(sig[32:])
	}
	return sig, err
}

// A Signer can be anything that makes an ES256 signature.
func ExampleSigner() {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	now := time.Date(2026, 11, 2, 15, 0, 0, 0, time.UTC)
	id, _ := passport.Sign(context.Background(), vault{key}, &passport.Passport{
		X5U: "https://cert.example.org/passport.cer", Orig: passport.TN(12155551212), Dest: passport.TNs(12125551213), IssuedAt: now,
	})
	_, err := passport.Verify(now, id, &key.PublicKey, 12155551212, 12125551213)
	fmt.Println(err)
	// Output: <nil>
}
