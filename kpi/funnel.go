package kpi

// Funnel is how far the attempts of a cell came. Each stage is part of the one before.
type Funnel struct {
	Attempts uint64 // seizures whose outcome is known
	Reached  uint64 // delivered by the network (NER)
	Answered uint64 // in time
	Human    uint64 // answered by a person, by dispositions
	Contacts uint64 // the right person, by dispositions
}

// Funnel returns the stages. A disposition without a person who answered, or without an answer that was seen, cannot make a
// stage larger than the one before.
func (c *Cell) Funnel() Funnel {
	f := Funnel{Attempts: c.Known()}
	f.Reached = min(c.delivered(), f.Attempts)
	f.Answered = min(c.Answers, f.Reached)
	f.Human = min(c.AnswerTypes().Human.K, f.Answered)
	f.Contacts = min(c.Contacts, f.Human)
	return f
}

// Steps are the shares of each stage in the one before: reached of attempts, answered of reached, human of answered, contacts of
// human.
func (f Funnel) Steps() [4]Ratio {
	return [4]Ratio{{f.Reached, f.Attempts}, {f.Answered, f.Reached}, {f.Human, f.Answered}, {f.Contacts, f.Human}}
}
