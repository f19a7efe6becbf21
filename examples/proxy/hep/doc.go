// Package hep sends copies of SIP messages to a capture server: Homer, heplify-server, or sngrep, as HEP3 packets over UDP.
//
// HEP3 (also EEP, the Extensible Encapsulation Protocol) is published by the SIPCAPTURE project at github.com/sipcapture/HEP. A packet is
// "HEP3", its whole length, and chunks: vendor, type, length, and a value; all numbers in network byte order.
//
// A capture must never cost a call. [Sender.Send] copies the message into a queue of a fixed length and returns; what finds no room is
// dropped and counted, and so is what the network does not take.
package hep
