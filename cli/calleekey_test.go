package cli

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCMAC compares the keys' MAC with example 2 of RFC 4493, and with the vector of NIST SP 800-38B for a key of 256 bits.
func TestCMAC(t *testing.T) {
	for _, v := range []struct {
		key  string
		want uint64
	}{
		{"2b7e151628aed2a6abf7158809cf4f3c", 0x070a16b46b4d4144},
		{"603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4", 0x28a7023f452e8f82},
	} {
		key, err := hex.DecodeString(v.key)
		require.NoError(t, err)
		require.Equal(t, v.want, keysUnder(key).mac(0x6bc1bee22e409f96, 0xe93d7e117393172a))
	}
}

// TestCalleeKeysDifferBySecret: whoever has another secret has other keys.
func TestCalleeKeysDifferBySecret(t *testing.T) {
	a, b := newKeys([]byte("one")), newKeys([]byte("two"))
	require.Equal(t, a.of(12125550123), newKeys([]byte("one")).of(12125550123))
	require.NotEqual(t, a.of(12125550123), b.of(12125550123))
	require.NotEqual(t, a.of(12125550123), a.of(12125550124))
}
