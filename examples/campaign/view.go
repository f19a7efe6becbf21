package main

import (
	"time"

	"github.com/outdial/outdial/kpi"
)

// view is what is shown of a campaign at one moment: plain data.
type view struct {
	Elapsed time.Duration

	Placed, Total, Over int
	CPS                 int // calls placed in the last second
	Waiting             int // calls without a final response
	Idle, Busy, Wrap    int // agents

	Recent    int // attempts that the shares of the trunks are of
	Trunks    []row
	Failovers []failoverLine // the latest, newest last
	Notices   []notice       // the latest, newest last
}

// row is one trunk of a view.
type row struct {
	Name     string
	Health   string
	Share    float64 // of the attempts of the last seconds
	Attempts uint64
	ASR      kpi.Ratio
	P50, P95 time.Duration // post-dial delay; 0 = none was seen
	InUse    int
	Channels int
	CPS      int // INVITEs in the last second
	MaxCPS   int
}

// failoverLine is a failover with the time since the start of the campaign.
type failoverLine struct {
	At time.Duration
	advance
}

// notice is something that happened, in words.
type notice struct {
	At   time.Duration
	Text string
}
