package main

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"text/template"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/examples/proxy/b2bua"
	"github.com/outdial/outdial/routing"
)

// The caps on each caller ID. The campaign is over within the first window, so the carriers can check them by counting.
var numberCaps = []numberCap{{Max: 5, Window: time.Hour}, {Max: 20, Window: 24 * time.Hour}}

// numbersPerCall is the size of the inventory: at 5 uses an hour there is room for 1.8 attempts a call.
const numbersPerCall = 0.36

// journalDir is the proxy's journal within the directory of the campaign.
const journalDir = "journal"

// configText is the configuration of the proxy, as an operator would write it. Backoffs and dwells are short so that a run
// of half a minute shows a recovery; the defaults are 5 s, 5 min and 10 s.
var configText = template.Must(template.New("outdial.yaml").Parse(`listen: 127.0.0.1:0
carrier_listen: 127.0.0.1:0
drain_timeout: -1s # the campaign waits for its calls itself
dialers:
  - {name: campaign, sources: [127.0.0.1], program: sales, campaign: spring, mode: predictive}
trunks:
{{- range .Carriers}}
  - {name: {{.Name}}, carrier: {{.Name}}, deck: {{.Name}}, address: "{{.Addr}}", channels: {{.Channels}}, cps: {{.CPS}}, baseline: {{.Failure}}} # {{.About}}
{{- end}}
routing:
  version: demo
  rules:
    - name: everything
      tiers:
        - trunks:
{{- range .Carriers}}
            - {trunk: {{.Name}}, weight: {{.Weight}}}
{{- end}}
  decks:
{{- range .Carriers}}
    - {name: {{.Name}}, rates: [{rate: {{.Rate}}, increment: 6/6}]}
{{- end}}
failover: {backoff: 2s, backoff_max: 4s, ramp: 2s, dwell: 500ms, flap: 5s, ping_out: 500ms, seed: {{.Seed}}}
cli:
  pools:
    - {name: sales, program: sales, limits: {caps: [{{range $i, $c := .Caps}}{{if $i}}, {{end}}{{$c.Max}}/{{$c.Window}}{{end}}], spacing: -1s}}
  lifecycle: {detection: {block: 5}} # two blocks in a row rest a number; the default wants four
  numbers:
{{- range .Numbers}}
    - {number: "{{.}}", pool: sales, evidence: simulated}
{{- end}}
kpi: {window: 24h, buckets: 24} # the whole campaign
journal: {dir: "{{.Journal}}"}
`))

// addressed is a carrier with its address, for the template.
type addressed struct {
	profile
	Addr string
}

// Rate is the price of a minute as a deck has it.
func (a addressed) Rate() routing.Price { return routing.Price(a.Price) }

// callerIDs returns the inventory for a campaign.
func callerIDs(o options) []outdial.Number {
	return callers(min(int(math.Ceil(float64(o.Calls)*numbersPerCall)), maxCallers))
}

// newProxy writes the configuration to dir and builds the proxy from it.
func newProxy(o options, dir string, carriers []*carrier) (*b2bua.Proxy, error) {
	data := struct {
		Carriers []addressed
		Numbers  []outdial.Number
		Caps     []numberCap
		Seed     uint64
		Journal  string
	}{Numbers: callerIDs(o), Caps: numberCaps, Seed: o.Seed, Journal: filepath.Join(dir, journalDir)}
	for _, c := range carriers {
		data.Carriers = append(data.Carriers, addressed{c.profile, c.sip.Addr().String()})
	}
	var text bytes.Buffer
	if err := configText.Execute(&text, data); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	config := text.String()
	if o.edit != nil {
		config = o.edit(config)
	}
	name := filepath.Join(dir, "outdial.yaml")
	if err := os.WriteFile(name, []byte(config), 0o600); err != nil {
		return nil, err
	}
	cfg, err := b2bua.Load(name, []byte(config))
	if err != nil {
		return nil, err
	}
	cfg.Admin.Listen, cfg.Hunting.Explain = o.Page, o.Page != "" // the page shows decisions, also of calls that are over
	return b2bua.New(cfg, b2bua.Options{})
}
