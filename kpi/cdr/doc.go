// Package cdr is the journal of events that ships with outdial: the one durable thing, of which everything that the
// other packages know about the past is a fold. CDR is the trade's word for it: call detail records.
//
// A [Journal] is a directory of append-only segments. It implements outdial.Journal: Append writes an event by one
// write(2) and gives it the next sequence number, Replay shows the events again, in order. A [Reader] reads the
// same directory, or a copy of it, without a lock and without changing anything, and leaves out what lies outside
// given times. [Export] turns what either of them shows into CSV or JSON lines, one line for each attempt that
// ended; ReadCSV turns such a CSV file back into events.
// [Import] reads the plain call detail records of other switches (Asterisk, FreeSWITCH, Kamailio, or any file by a [Mapping]).
//
// # What survives what
//
// An acknowledged event survives the death of the process (kill -9) with SyncNone, and of the machine with
// SyncGroup. With Config.Mapped it is stored in a mapping of its segment instead of written, and survives the death of the process as well;
// a power cut may then leave damage instead of an end that is torn.
// Open cuts the torn tail that either may leave and reports it. After a power cut with SyncNone the journal may end earlier than a snapshot that some package took: compare the snapshot's sequence with
// Recovery.LastSeq, and throw the snapshot away if it is greater. A power cut that falls just behind a rotation may
// then also leave a hole before the last segment, which Replay reports as damage; SkipDamaged reads on behind it.
//
// When the disk is full, Append fails and the journal is cut back to the last whole record; the engine then refuses
// or goes on, as it is configured. The next Append tries again. After a failed fsync the journal takes nothing more
// until it is opened anew, and the events whose Appends waited for it are cut off. An event whose Append gave an error
// can come up again in one case alone: that cutting off failed as well, or the machine went down before it was
// on the disk.
//
// # What is written
//
// Every field of an event, its attempt, disposition, label and control, but the leases: a replayed attempt holds
// nothing. Texts are cut after 255 bytes. Shared ids are written with their names, once in each segment, and come
// back as the ids that the reader's own registry has for these names. An id that no registry named comes back as
// the number that it was. Call.Dest.Zones is a number of the numbering plan in force and is kept as it is.
// FORMAT.md beside this file is the specification.
//
// Telephone numbers stand in a journal in clear: it is as confidential as the calls are. Segments are created
// readable for their owner and group alone. What is older than the law allows goes with Retain, whole segments at a
// time; nothing removes events by itself.
//
// # Time, goroutines, locks
//
// The package reads no clock and starts no goroutine. The journal's lock is held over the writing of a record, so
// that the order of the file is the order of the sequence, and over the system calls that end a segment and begin the
// next: once in SegmentBytes, closing one file and creating another, with SyncGroup also an fsync of the old segment
// and one of the directory, so that a crash never leaves a hole between the two. Appends wait for that as long as
// the disk needs. The lock is not held over the fsync that an Append with SyncGroup waits for, so that others write
// meanwhile, nor over a function of the caller's. When an fsync has failed, it is held while the events that are refused
// are cut off.
package cdr
