// Package ledgertest checks that an implementation of trunk.Ledger keeps what the interface promises. It imports no testing
// package: call [Check] from a test of the implementation.
package ledgertest
