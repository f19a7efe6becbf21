package b2bua

import (
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/cli"
	"github.com/outdial/outdial/kpi"
	"github.com/outdial/outdial/routing"
	"github.com/outdial/outdial/trunk"
)

// Config is the configuration file; outdial.yaml beside the program documents it field by field. It is data: New
// copies what it needs.
type Config struct {
	Listen           string `yaml:"listen"`            // UDP address for the dialers, "host:port"; port 0 = any
	Advertise        string `yaml:"advertise"`         // what Contact and Via name to dialers; "" = the socket's address
	CarrierListen    string `yaml:"carrier_listen"`    // UDP address towards the carriers
	CarrierAdvertise string `yaml:"carrier_advertise"` // what Contact and Via name to carriers; "" = the socket's address

	Listeners        []Listener `yaml:"listeners"`         // what else it listens on for dialers
	CarrierListeners []Listener `yaml:"carrier_listeners"` // … and for carriers
	TLS              TLS        `yaml:"tls"`               // towards dialers
	CarrierTLS       TLS        `yaml:"carrier_tls"`       // towards carriers
	Streams          Streams    `yaml:"streams"`           // bounds of the dialers' connections
	CarrierStreams   Streams    `yaml:"carrier_streams"`   // … and of the carriers'

	DNS DNS `yaml:"dns"`

	Node         uint16        `yaml:"node"`          // tells the call ids of several processes apart, 0 to 4095
	MaxCalls     int           `yaml:"max_calls"`     // calls being set up or up at one time; 0 = 10000
	Processors   int           `yaml:"processors"`    // cores that the program uses at one time; 0 = what the load needs, negative = all
	DrainTimeout time.Duration `yaml:"drain_timeout"` // how long live calls may go on after SIGTERM; 0 = 30s, negative = not at all

	Refer string `yaml:"refer"` // REFER within a call: refuse (403), or pass with its NOTIFYs; "" = refuse

	Dialers  []Dialer `yaml:"dialers"`
	Headers  Headers  `yaml:"headers"`
	DialPlan DialPlan `yaml:"dial_plan"`

	Trunks   []Trunk        `yaml:"trunks"`
	Routing  routing.Policy `yaml:"routing"` // without its trunks, which Trunks gives
	CLI      *CLI           `yaml:"cli"`     // absent = the number that the dialer asked for is presented
	Identity Identity       `yaml:"identity"`
	Failover Failover       `yaml:"failover"`
	Hunting  Hunting        `yaml:"hunting"`
	KPI      KPI            `yaml:"kpi"`
	Metrics  Metrics        `yaml:"metrics"`
	HEP      HEP            `yaml:"hep"`
	Admin    HTTP           `yaml:"admin"`
	Decision Decision       `yaml:"decision"`
	Journal  Journal        `yaml:"journal"`
	DayParts []DayPart      `yaml:"day_parts"`

	Providers []Provider `yaml:"providers"` // what is on record of carriers
	Gate      Gate       `yaml:"gate"`      // which campaigns wait to be opened

	Log Log `yaml:"log"`

	dir     string // what relative names of files that are read are relative to
	version string // of the text that it was read from
}

// Listener is a socket beside the first one.
type Listener struct {
	Transport string `yaml:"transport"` // udp, tcp or tls
	Address   string `yaml:"address"`   // "host:port"; port 0 = any
	Advertise string `yaml:"advertise"` // what Contact and Via name; "" = the host of advertise, or the address
}

// DNS is who is asked for the names of trunks; see siptrunk.DNS.
type DNS struct {
	Servers []string      `yaml:"servers"`
	Timeout time.Duration `yaml:"timeout"`
}

// Streams bounds connections; see siptrunk.Streams. 0 = the default, negative = no bound.
type Streams struct {
	MaxConns       int           `yaml:"max_conns"`       // that the other side opened; 0 = 4096
	MaxPerSource   int           `yaml:"max_per_source"`  // … from one address; 0 = 1024
	MessageTimeout time.Duration `yaml:"message_timeout"` // for a message, and for the first one of a connection; 0 = 10s
	IdleTimeout    time.Duration `yaml:"idle_timeout"`    // 0 = 30m
	ConnectTimeout time.Duration `yaml:"connect_timeout"` // 0 = 2s
	WriteTimeout   time.Duration `yaml:"write_timeout"`   // for a peer that does not read; 0 = 5s
}

// Dialer is who may send calls, and what these are where they do not say.
type Dialer struct {
	Name     string   `yaml:"name"`    // required, unique
	Sources  []string `yaml:"sources"` // addresses and networks that it sends from; at least one, but where tls says who it is
	NAT      bool     `yaml:"nat"`     // answer to the address that requests come from, whatever their Via and Contact say
	Tenant   string   `yaml:"tenant"`
	Program  string   `yaml:"program"`
	Campaign string   `yaml:"campaign"`
	Mode     string   `yaml:"mode"`     // manual, predictive, prerecorded; "" = unknown
	Priority string   `yaml:"priority"` // bulk, normal, urgent; "" = bulk
	Tags     []string `yaml:"tags"`     // for routing to go by; at most eight

	TLS      Certified     `yaml:"tls"`      // it is known by its certificate
	Auth     Auth          `yaml:"auth"`     // without a user name its address is enough
	Privacy  string        `yaml:"privacy"`  // refuse (433) or pass calls that hide the caller ID; "" = refuse
	Redirect bool          `yaml:"redirect"` // answer with 302: it calls the carrier itself
	Lease    time.Duration `yaml:"lease"`    // how long a redirected call holds its channel; 0 = 2m

	SessionExpires time.Duration `yaml:"session_expires"` // where it asks for none (RFC 4028); 0 = 30m, negative = none

	MaxCalls int           `yaml:"max_calls"` // being set up or up at one time; 0 = as many as all may have
	MaxCall  time.Duration `yaml:"max_call"`  // an answered call is ended after so long; 0 = 12h, negative = never
}

// Headers are the names of the header fields by which an INVITE says what call it is. "" = the default, X-Outdial-….
type Headers struct {
	Program  string `yaml:"program"`
	Campaign string `yaml:"campaign"`
	Tenant   string `yaml:"tenant"`
	Mode     string `yaml:"mode"`
	Priority string `yaml:"priority"`
	Tags     string `yaml:"tags"` // in its value, or in several, with commas between them
}

// DialPlan is how numbers are dialled; see outdial.DialPlan. Without it, international form with or without the
// plus sign is understood.
type DialPlan struct {
	CountryCode   uint16 `yaml:"country_code"`
	International string `yaml:"international"`
	National      string `yaml:"national"`
	Subscriber    int    `yaml:"subscriber"`
}

// Trunk is one interconnect to a carrier.
type Trunk struct {
	Name    string `yaml:"name"`    // required, unique
	Carrier string `yaml:"carrier"` // the company; "" = none
	Deck    string `yaml:"deck"`    // its price list, of routing.decks; "" = prices are not known

	Hop          string               `yaml:"hop"`          // the company behind the carrier, where that is known
	Interconnect routing.Interconnect `yaml:"interconnect"` // direct, transit; "" = not known
	Tags         []string             `yaml:"tags"`         // for routing to name several trunks
	Surcharges   []routing.Surcharge  `yaml:"surcharges"`   // what the carrier takes for short calls

	Address    string   `yaml:"address"`   // "host:port" or "host"; required
	Transport  string   `yaml:"transport"` // udp, tcp, tls; "" = by DNS, or udp
	TLS        TLS      `yaml:"tls"`       // what it has not is that of carrier_tls
	TCP        bool     `yaml:"tcp"`       // it takes TCP beside UDP: for INVITEs above udp_limit
	UDPLimit   int      `yaml:"udp_limit"` // bytes; 0 = 1300, negative = none
	Sources    []string `yaml:"sources"`   // where else the carrier sends from
	Redirects  []string `yaml:"redirects"`
	Username   string   `yaml:"username"`
	Password   string   `yaml:"password"`
	FromDomain string   `yaml:"from_domain"`
	Format     string   `yaml:"format"` // plus or digits; "" = plus
	Prefix     string   `yaml:"prefix"` // put before the callee's number

	Strip        string      `yaml:"strip"`         // digits that the callee's number loses where it begins with them
	CallerStrip  string      `yaml:"caller_strip"`  // … and the caller ID
	CallerPrefix string      `yaml:"caller_prefix"` // put before the caller ID
	Asserted     string      `yaml:"asserted"`      // what asserts the caller ID: pai, ppi, rpid, none; "" = pai
	Headers      HeaderRules `yaml:"headers"`

	Reliable       bool          `yaml:"reliable"`        // offer 100rel in every INVITE; without it, to who requires it
	SessionExpires time.Duration `yaml:"session_expires"` // that is asked for (RFC 4028); 0 = 30m, negative = none

	T100 time.Duration `yaml:"t100"` // 0 = 1s
	PDD  time.Duration `yaml:"pdd"`  // 0 = 8s
	Ring time.Duration `yaml:"ring"` // 0 = 60s

	Channels int           `yaml:"channels"` // 0 = 30, negative = no limit
	CPS      int           `yaml:"cps"`      // 0 = 10, negative = no limit
	Smooth   time.Duration `yaml:"smooth"`
	MaxCall  time.Duration `yaml:"max_call"`
	Baseline float64       `yaml:"baseline"` // share of its calls that fail when nothing is wrong; 0 = that of failover
	State    trunk.State   `yaml:"state"`    // live, canary, staged, draining, out
	Capacity Capacity      `yaml:"capacity"`
}

// CLI is the inventory of caller IDs. The fields are those of cli.Config, with names in snake case.
type CLI struct {
	Secret      string               `yaml:"secret"` // keys the hash under which callees are remembered; "" = a random one
	Pools       []cli.PoolConfig     `yaml:"pools"`
	Campaigns   []cli.CampaignConfig `yaml:"campaigns"`
	Numbers     []cli.NumberConfig   `yaml:"numbers"`
	NumbersFile string               `yaml:"numbers_file"` // a CSV or JSON file with more of them; relative to the configuration file
	Limits      cli.Limits           `yaml:"limits"`
	Sticky      cli.Sticky           `yaml:"sticky"`
	Callee      []cli.Cap            `yaml:"callee"` // attempts per callee and program; absent = 3/24h, [] = no limit
	MaxCallees  int                  `yaml:"max_callees"`
	Lifecycle   cli.Lifecycle        `yaml:"lifecycle"`
	Tenants     []cli.TenantConfig   `yaml:"tenants"`
	Rules       []cli.CountryRule    `yaml:"rules"` // absent = those that ship, [] = none

	Adjacent    map[outdial.Prefix][]outdial.Prefix `yaml:"adjacent"`     // area codes that border on an area code
	RateCentres map[outdial.Prefix]string           `yaml:"rate_centres"` // of exchanges
}

// Failover is when a trunk must rest; see failover.Config.
type Failover struct {
	Baseline      float64       `yaml:"baseline"`
	HardCount     int           `yaml:"hard_count"`
	Backoff       time.Duration `yaml:"backoff"`
	BackoffMax    time.Duration `yaml:"backoff_max"`
	RetryAfterMax time.Duration `yaml:"retry_after_max"`
	ProbeGood     int           `yaml:"probe_good"`
	Seed          uint64        `yaml:"seed"`

	BaselineCalls int           `yaml:"baseline_calls"`
	FalseAlarm    float64       `yaml:"false_alarm"`
	KeepWarm      float64       `yaml:"keep_warm"`
	Ramp          time.Duration `yaml:"ramp"`
	Flap          time.Duration `yaml:"flap"`
	PingEvery     time.Duration `yaml:"ping_every"`
	PingOut       time.Duration `yaml:"ping_out"`
	Signals       bool          `yaml:"signals"`
	UntestedAfter time.Duration `yaml:"untested_after"`

	Dwell            time.Duration `yaml:"dwell"`
	ProbeTimeout     time.Duration `yaml:"probe_timeout"`
	Launch           time.Duration `yaml:"launch"`
	LaunchFalseAlarm float64       `yaml:"launch_false_alarm"`
	DrillEvery       time.Duration `yaml:"drill_every"`
	SignalEvery      time.Duration `yaml:"signal_every"`
	Limits           []Limit       `yaml:"limits"` // of the signals; none = those of failover

	Rules     []Rule            `yaml:"rules"`
	Overrides []Override        `yaml:"overrides"`
	Presets   map[string]string `yaml:"presets"` // name of a carrier: name of a preset
}

// Hunting is how a call goes from trunk to trunk; see outdial.Config.
type Hunting struct {
	MaxAttempts          int           `yaml:"max_attempts"`
	MaxWait              time.Duration `yaml:"max_wait"`
	SetupBudget          time.Duration `yaml:"setup_budget"`
	AdvanceAfterProgress bool          `yaml:"advance_after_progress"`
	Explain              bool          `yaml:"explain"`
}

// KPI is what the meter looks back over, and what it keeps apart; see kpi.Config.
type KPI struct {
	Off     bool          `yaml:"off"` // nothing is counted
	Window  time.Duration `yaml:"window"`
	Buckets int           `yaml:"buckets"`

	Spans    []Span     `yaml:"spans"` // further stretches of time to look back over
	Views    []kpi.View `yaml:"views"` // absent = total, trunk, trunk+group, pool, program
	MaxCells int        `yaml:"max_cells"`
	Cohorts  bool       `yaml:"cohorts"`
	Archive  Archive    `yaml:"archive"`
	Tariffs  []Tariff   `yaml:"tariffs"`

	AbandonedCodes []string               `yaml:"abandoned_codes"` // of the dialer's dispositions; none = those without agent time
	Callees        *Callees               `yaml:"callees"`         // absent = not counted
	Numbers        *Numbers               `yaml:"numbers"`         // absent = not counted
	Budgets        []Budget               `yaml:"budgets"`
	Dispositions   map[string]Disposition `yaml:"dispositions"` // by the dialer's codes
}

// Span is a stretch of time and its slices; see kpi.Span.
type Span struct {
	Window  time.Duration `yaml:"window"`
	Buckets int           `yaml:"buckets"`
}

// Archive is of which roll-ups every hour is kept for weeks; see kpi.ArchiveConfig.
type Archive struct {
	Views    []kpi.View    `yaml:"views"`
	MaxCells int           `yaml:"max_cells"`
	Keep     time.Duration `yaml:"keep"`
}

// Tariff is what a carrier bills beside its price of a minute; see kpi.Tariff.
type Tariff struct {
	Carrier    string         `yaml:"carrier"` // "" = those without a tariff of their own
	Initial    time.Duration  `yaml:"initial"`
	Increment  time.Duration  `yaml:"increment"`
	PerAnswer  outdial.Micros `yaml:"per_answer"`
	ShortBelow time.Duration  `yaml:"short_below"`
	PerShort   outdial.Micros `yaml:"per_short"`
}

// Metrics are the figures for Prometheus.
type Metrics struct {
	Listen    string    `yaml:"listen"` // TCP address, "host:port"; "" = none, without a host = of the loopback interface alone
	View      *kpi.View `yaml:"view"`   // what becomes labels; absent = trunk
	MaxSeries int       `yaml:"max_series"`
}

// DayPart names a span of callee-local time for the routing rules; see outdial.DayPart.
type DayPart struct {
	Name string            `yaml:"name"`
	From routing.TimeOfDay `yaml:"from"`
	To   routing.TimeOfDay `yaml:"to"`
	Days []string          `yaml:"days"` // mon, tue, …; none = every day
}

// Log is what is logged.
type Log struct {
	Level   string `yaml:"level"`   // debug, info, warn, error; "" = info
	Format  string `yaml:"format"`  // text or json; "" = text
	Numbers string `yaml:"numbers"` // hashed, masked or clear; "" = hashed
	Secret  string `yaml:"secret"`  // keys the hashes; "" = a random one, so that they differ from start to start
}

const (
	numbersHashed = "hashed"
	numbersMasked = "masked"
	numbersClear  = "clear"
)

// withDefaults fills in what is zero.
func (c Config) withDefaults() Config {
	def := func(s *string, d string) {
		if *s == "" {
			*s = d
		}
	}
	def(&c.Headers.Program, "X-Outdial-Program")
	def(&c.Headers.Campaign, "X-Outdial-Campaign")
	def(&c.Headers.Tenant, "X-Outdial-Tenant")
	def(&c.Headers.Mode, "X-Outdial-Mode")
	def(&c.Headers.Priority, "X-Outdial-Priority")
	def(&c.Headers.Tags, "X-Outdial-Tags")
	def(&c.Journal.Sync, "none")
	def(&c.Journal.OnFailure, "refuse")
	def(&c.Journal.Append, "mapped")
	def(&c.Log.Level, "info")
	def(&c.Log.Format, "text")
	def(&c.Log.Numbers, numbersHashed)
	if c.MaxCalls == 0 {
		c.MaxCalls = 10_000
	}
	if c.Journal.Checkpoint == 0 {
		c.Journal.Checkpoint = 5 * time.Minute
	}
	if c.DrainTimeout == 0 {
		c.DrainTimeout = 30 * time.Second
	}
	return c
}
