// Package siplint finds in one SIP message what will break the call that it sets up, although the message is well formed: addresses that the
// other side cannot reach, a response that cannot find its way back, a description that something on the way has half rewritten. Such calls
// ring, are answered, and then one side hears nothing, or the call never ends.
//
// It compares the message with where it came from, so it says nothing of traffic within one private network.
package siplint
