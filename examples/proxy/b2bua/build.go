package b2bua

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
	"github.com/outdial/outdial/failover"
	"github.com/outdial/outdial/kpi"
	"github.com/outdial/outdial/kpi/kpiprom"
	"github.com/outdial/outdial/routing"
	"github.com/outdial/outdial/trunk"
	"github.com/outdial/outdial/trunk/siptrunk"
)

// parts are the packages as the configuration wants them, put together.
type parts struct {
	ids      *outdial.Registry
	router   *routing.Router
	selector *failover.Selector
	trunks   *trunk.Set
	clis     *cli.Governor // nil = the dialer's own number is presented
	meter    *kpi.Meter
	engine   *outdial.Engine
	ungated  *outdial.Engine // for rehearsals alone: what would be if all campaigns were open
	numbers  *outdial.NumberingPlan
	limits   trunk.Config          // without the trunks
	reads    routing.CompileConfig // what a routing table is compiled with

	orders    *orders
	collector *kpiprom.Collector // nil = no metrics
	counted   *counted           // beside the meter
}

// past is where the facts of former processes are: a journal, and what they come to up to a place. The zero past is none.
type past struct {
	observers []outdial.Observer
	open      func(*outdial.Registry) (outdial.Journal, func(error), error)
	saved     func() *checkpoint // asked for once the journal is open
	warn      func(section string, err error)
}

// assemble builds the packages and the engine. Errors are *FieldErrors that name the section.
func (c Config) assemble(past past, now func() time.Time) (*parts, error) {
	p := &parts{ids: new(outdial.Registry)}
	var errs []error
	try := func(path string, err error) bool {
		if err != nil {
			errs = append(errs, &FieldError{path, err})
		}
		return err == nil
	}
	numbering, err := c.numbering(p.ids)
	if !try("day_parts", err) {
		return nil, errors.Join(errs...) // the routing rules need their names
	}
	p.numbers = numbering
	var ec outdial.Config
	var saved *checkpoint
	warn := func(section string, err error) {
		if err != nil {
			past.warn(section, err)
		}
	}
	if past.open != nil {
		ec.Journal, ec.OnJournalError, err = past.open(p.ids)
		if !try("journal", err) {
			return nil, errors.Join(errs...)
		}
		saved = past.saved()
	}
	p.meter, err = kpi.New(c.KPI.build(p.ids))
	try("kpi", err)
	if p.counted, err = c.counts(p.ids, numbering); err != nil {
		errs = append(errs, err)
	}
	if c.Metrics.Listen != "" && p.meter != nil {
		p.collector, err = kpiprom.New(kpiprom.Config{
			IDs: p.ids, View: c.Metrics.View, Meter: p.meter, MaxSeries: c.Metrics.MaxSeries, Now: now,
		})
		try("metrics", err)
	}
	p.limits = trunk.Config{IDs: p.ids, Shortages: shortages{p}}
	limits := p.limits
	limits.Trunks = c.limits()
	p.trunks, err = trunk.New(limits)
	try("trunks", err)
	health, err := c.health(p)
	if try("failover.presets", err) {
		p.selector, err = failover.New(health)
		try("failover", err)
	}
	reads := routing.CompileConfig{IDs: p.ids, Numbering: numbering, Quality: p.meter, Measures: p.meter, BurstPrices: p.trunks}
	if c.CLI != nil {
		cfg, err := c.CLI.build(c.dir)
		if try("cli.numbers_file", err) {
			cfg.IDs, cfg.Numbering = p.ids, numbering
			p.clis, err = governor(cfg, saved, warn)
			try("cli", err)
		}
	}
	if p.clis != nil {
		reads.Risk = p.clis
	}
	if p.selector != nil {
		reads.Health = p.selector
	}
	p.reads = reads
	_, err = c.Identity.build(c.dir)
	try("identity", err)
	table, err := routing.Compile(c.policy(), reads)
	try("routing", err)
	p.router = routing.NewRouter(table)
	p.orders = newOrders(p.ids, c.Gate)
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	if saved != nil {
		p.restore(saved, warn)
	}
	ec.IDs, ec.Numbering, ec.Router, ec.Failover, ec.Trunks = p.ids, numbering, gated{p.router, p.orders}, p.selector, p.trunks
	if !c.KPI.Off {
		ec.Observers = append(ec.Observers, p.meter)
	}
	ec.Observers = append(append(ec.Observers, p.orders), p.counted.observers()...)
	ec.Now, ec.Node, ec.MaxAttempts = now, c.Node, c.Hunting.MaxAttempts
	ec.MaxWait, ec.AdvanceAfterProgress, ec.Explain = c.Hunting.MaxWait, c.Hunting.AdvanceAfterProgress, c.Hunting.Explain
	if p.collector != nil {
		ec.Observers = append(ec.Observers, liveOnly{p.collector})
	}
	ec.Observers = append(ec.Observers, past.observers...)
	if p.clis != nil {
		ec.CLIs = p.clis
	}
	if c.Journal.OnFailure == "place_anyway" {
		ec.JournalFailure = outdial.PlaceAnyway
	}
	p.engine, err = outdial.New(ec)
	if !try("hunting", err) {
		return nil, errors.Join(errs...)
	}
	ec.Router, ec.Observers, ec.Journal = p.router, nil, nil
	p.ungated, err = outdial.New(ec)
	return p, err
}

func (k KPI) build(ids *outdial.Registry) kpi.Config {
	cfg := kpi.Config{
		IDs: ids, Window: k.Window, Buckets: k.Buckets, Views: k.Views, MaxCells: k.MaxCells, Cohorts: k.Cohorts,
		Archive: kpi.ArchiveConfig(k.Archive), AbandonedCodes: k.AbandonedCodes,
	}
	for _, s := range k.Spans {
		cfg.Spans = append(cfg.Spans, kpi.Span(s))
	}
	for _, t := range k.Tariffs {
		cfg.Tariffs = append(cfg.Tariffs, kpi.Tariff{
			Carrier: ids.Carriers.ID(t.Carrier), Initial: t.Initial, Increment: t.Increment, PerAnswer: t.PerAnswer,
			ShortBelow: t.ShortBelow, PerShort: t.PerShort,
		})
	}
	return cfg
}

func (c Config) numbering(ids *outdial.Registry) (*outdial.NumberingPlan, error) {
	cfg := outdial.NumberingConfig{IDs: ids}
	for _, d := range c.DayParts {
		part, err := d.build()
		if err != nil {
			return nil, err
		}
		cfg.DayParts = append(cfg.DayParts, part)
	}
	return outdial.NewNumberingPlan(cfg)
}

func (d DayPart) build() (outdial.DayPart, error) {
	part := outdial.DayPart{Name: d.Name, From: time.Duration(d.From), To: time.Duration(d.To)}
	for _, name := range d.Days {
		found := false
		for w := time.Sunday; w <= time.Saturday; w++ {
			if len(name) >= 3 && strings.HasPrefix(strings.ToLower(w.String()), strings.ToLower(name)) {
				part.Days, found = append(part.Days, w), true
			}
		}
		if !found {
			return part, fmt.Errorf("%q is not a day of the week", name)
		}
	}
	return part, nil
}

func (c Config) dialPlan() outdial.DialPlan {
	d := c.DialPlan
	return outdial.DialPlan{
		CountryCode: d.CountryCode, International: d.International, National: d.National, Subscriber: d.Subscriber,
	}
}

// policy is the routing policy with the trunks of the configuration.
func (c Config) policy() routing.Policy {
	p := c.Routing
	p.Trunks = nil
	for _, t := range c.Trunks {
		p.Trunks = append(p.Trunks, routing.Trunk{
			Name: t.Name, Carrier: t.Carrier, Deck: t.Deck, Hop: t.Hop, Interconnect: t.Interconnect, Tags: t.Tags,
			Surcharges: t.Surcharges,
		})
	}
	return p
}

func (c Config) limits() []trunk.Limits {
	var all []trunk.Limits
	for _, t := range c.Trunks {
		all = append(all, t.limits())
	}
	return all
}

// asserted are the names of siptrunk's ways to assert a caller ID, in its order.
var asserted = []string{"pai", "ppi", "rpid", "none"}

// transports are the names of siptrunk's transports.
var transports = map[string]siptrunk.Transport{"udp": siptrunk.TransportUDP, "tcp": siptrunk.TransportTCP, "tls": siptrunk.TransportTLS}

func (t Trunk) sip() siptrunk.Trunk {
	s := siptrunk.Trunk{
		Addr: t.Address, Sources: t.Sources, Redirects: t.Redirects, Username: t.Username, Password: t.Password, FromDomain: t.FromDomain,
		Prefix: t.Prefix, T100: t.T100, PDDTimer: t.PDD, RingTimer: t.Ring,
		Reliable: t.Reliable, SessionExpires: t.SessionExpires,
		Transport: transports[t.Transport], TCP: t.TCP, UDPLimit: t.UDPLimit,
	}
	s.Strip, s.CallerStrip, s.CallerPrefix = t.Strip, t.CallerStrip, t.CallerPrefix
	s.Asserted = siptrunk.Asserted(max(slices.Index(asserted, t.Asserted), 0))
	if t.Format == "digits" {
		s.Format = siptrunk.FormatDigits
	}
	return s
}

// interconnects are the trunks as siptrunk wants them.
func (c Config) interconnects(ids *outdial.Registry) map[outdial.TrunkID]siptrunk.Trunk {
	m := map[outdial.TrunkID]siptrunk.Trunk{}
	for _, t := range c.Trunks {
		s := t.sip()
		if s.Transport == siptrunk.TransportTLS || s.Transport == siptrunk.TransportAuto { // DNS may say TLS
			s.TLS, _ = t.TLS.over(c.CarrierTLS).towards(c.dir) // Config.secrets has read the files before
		}
		m[ids.Trunks.ID(t.Name)] = s
	}
	return m
}

// defaultMaxCall ends calls that both sides have forgotten, where neither keeps a session timer.
const defaultMaxCall = 12 * time.Hour

func (c Config) sources(ids *outdial.Registry) (sources, []identified) {
	var all sources
	var certified []identified
	for _, d := range c.Dialers {
		s := &source{
			name: d.Name, nat: d.NAT, tenant: ids.Tenants.ID(d.Tenant), program: ids.Programs.ID(d.Program),
			campaign: ids.Campaigns.ID(d.Campaign),
		}
		for _, tag := range d.Tags {
			s.tags.Add(ids.Tags.ID(tag))
		}
		if s.session = d.SessionExpires; s.session == 0 {
			s.session = defaultSession
		}
		s.session = max(s.session, 0)
		if s.maxCalls, s.maxCall = d.MaxCalls, d.MaxCall; s.maxCall == 0 {
			s.maxCall = defaultMaxCall
		}
		s.maxCall = max(s.maxCall, 0)
		if d.Auth.Username != "" {
			auth := d.Auth
			auth.Realm = cmp.Or(auth.Realm, "outdial")
			if len(auth.Algorithms) == 0 {
				auth.Algorithms = []string{"SHA-256", "MD5"}
			}
			s.auth = &auth
		}
		s.private = d.Privacy == "pass"
		if d.Redirect {
			s.lease = cmp.Or(d.Lease, defaultLease)
		}
		s.mode, _ = parseMode(d.Mode)
		s.priority, _ = parsePriority(d.Priority)
		if d.TLS.some() {
			certified = append(certified, newIdentified(d, s))
			continue
		}
		for _, text := range d.Sources {
			if p, err := parseNetwork(text); err == nil {
				all = append(all, network{p, s})
			}
		}
	}
	return all, certified
}

// build returns the configuration of the inventory, with the numbers of the file.
func (c *CLI) build(dir string) (cli.Config, error) {
	cfg := cli.Config{
		Pools: c.Pools, Campaigns: c.Campaigns, Numbers: c.Numbers, Limits: c.Limits, Sticky: c.Sticky, Callee: c.Callee,
		MaxCallees: c.MaxCallees, Lifecycle: c.Lifecycle, Tenants: c.Tenants, Rules: c.Rules,
		Adjacent: c.Adjacent, RateCentres: c.RateCentres,
	}
	if c.Secret != "" {
		cfg.Secret = []byte(c.Secret)
	}
	if c.NumbersFile == "" {
		return cfg, nil
	}
	name := c.NumbersFile
	if !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	f, err := os.Open(name)
	if err != nil {
		return cfg, err
	}
	defer f.Close()
	read := cli.ReadCSV
	if strings.EqualFold(filepath.Ext(name), ".json") {
		read = cli.ReadJSON
	}
	more, err := read(f)
	if err != nil {
		return cfg, fmt.Errorf("%s: %w", name, err)
	}
	cfg.Numbers = slices.Concat(cfg.Numbers, more)
	return cfg, nil
}
