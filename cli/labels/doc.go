// Package labels asks analytics engines, carriers and resellers how caller IDs are labelled, over HTTP.
//
// A [Source] is a template: an address, how the question is written, how the answer is read. [ParseHiya], [ParseFirstOrion],
// [ParseTNS] and [ParseTelnyx] read answers of the shape that these companies' interfaces had when this was written; contracts
// differ, and so do fields: look at an answer of your own before you rely on one. A host asks on a schedule of its own (once a
// week at least, and within a day for numbers on probation), and tells each observation to Engine.Label: package cli and kpi
// learn from it then, live and in a replay.
//
//	observations, err := source.Lookup(ctx, numbers)
//	for _, l := range observations {
//		_ = engine.Label(time.Now(), l)
//	}
package labels
