package b2bua

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/examples/proxy/door"
	"github.com/outdial/outdial/trunk/siptrunk"
)

// FieldError is one thing that is wrong with a Config; Path names the field as the file does: "trunks[0].address".
type FieldError struct {
	Path string
	Err  error
}

// Error returns "path: what is wrong".
func (e *FieldError) Error() string { return e.Path + ": " + e.Err.Error() }

// Unwrap returns Err.
func (e *FieldError) Unwrap() error { return e.Err }

var errRequired = errors.New("required")

// Validate returns one error that joins a *FieldError for every field that does not fit. It opens no socket and no
// journal; it does read the file of caller IDs.
func (c Config) Validate() error {
	v := &validator{}
	c = c.withDefaults()
	v.address("listen", c.Listen)
	v.address("carrier_listen", c.CarrierListen)
	v.advertised("advertise", c.Advertise)
	v.advertised("carrier_advertise", c.CarrierAdvertise)
	v.listeners("listeners", c.Listeners, c.TLS)
	v.listeners("carrier_listeners", c.CarrierListeners, c.CarrierTLS)
	if c.Refer != "" {
		v.oneOf("refer", c.Refer, "refuse", "pass")
	}
	for i, s := range c.DNS.Servers {
		_, err := netip.ParseAddr(s)
		if _, err2 := netip.ParseAddrPort(s); err != nil && err2 != nil {
			v.bad(fmt.Sprintf("dns.servers[%d]", i), fmt.Errorf("%q is not an address, with or without a port", s))
		}
	}
	v.dialers(c.Dialers)
	if _, err := c.secrets(); err != nil {
		v.errs = append(v.errs, leaves(err)...)
	}
	told := []struct{ path, name string }{
		{"program", c.Headers.Program},
		{"campaign", c.Headers.Campaign},
		{"tenant", c.Headers.Tenant},
		{"mode", c.Headers.Mode},
		{"priority", c.Headers.Priority},
		{"tags", c.Headers.Tags},
	}
	for _, h := range told {
		if strings.ContainsAny(h.name, " \t\r\n:") {
			v.bad("headers."+h.path, fmt.Errorf("%q is not the name of a header field", h.name))
		}
	}
	v.foreign("dial_plan", c.dialPlan().Validate())
	v.trunks(c.Trunks)
	for i, t := range c.Trunks {
		for k, name := range t.Headers.Pass {
			for _, h := range told {
				if strings.EqualFold(name, h.name) {
					v.bad(fmt.Sprintf("trunks[%d].headers.pass[%d]", i, k), fmt.Errorf("%q is for the proxy alone: headers.%s", name, h.path))
				}
			}
		}
	}
	if len(c.Routing.Trunks) > 0 {
		v.bad("routing.trunks", errors.New("trunks stand at the top level"))
	}
	v.oneOf("journal.sync", c.Journal.Sync, "none", "group")
	v.oneOf("journal.append", c.Journal.Append, "mapped", "written")
	v.oneOf("journal.on_failure", c.Journal.OnFailure, "refuse", "place_anyway")
	v.keep(c)
	v.oneOf("log.format", c.Log.Format, "text", "json")
	v.oneOf("log.numbers", c.Log.Numbers, numbersHashed, numbersMasked, numbersClear)
	if n := len(c.Log.Secret); n > 0 && n < 16 {
		v.bad("log.secret", errors.New("shorter than 16 bytes"))
	}
	if err := new(slog.Level).UnmarshalText([]byte(c.Log.Level)); err != nil {
		v.bad("log.level", err)
	}
	for i, t := range c.KPI.Tariffs {
		if t.Carrier != "" && !slices.ContainsFunc(c.Trunks, func(x Trunk) bool { return x.Carrier == t.Carrier }) {
			v.bad(fmt.Sprintf("kpi.tariffs[%d].carrier", i), fmt.Errorf("no trunk is of %q", t.Carrier))
		}
	}
	v.budgets(c)
	if c.Metrics.Listen != "" {
		if _, err := metricsAddr(c.Metrics.Listen); err != nil {
			v.bad("metrics.listen", err)
		}
	}
	if _, err := c.HEP.build(); err != nil {
		v.foreign("hep", err)
	}
	v.providers(c.Providers, c.Trunks)
	v.http("admin", c.Admin)
	v.http("decision.http", c.Decision.HTTP)
	v.positive("decision.max_calls", int64(c.Decision.MaxCalls))
	v.positive("decision.lease", int64(c.Decision.Lease))
	v.positive("decision.longest", int64(c.Decision.Longest))
	if c.MaxCalls < 0 {
		v.bad("max_calls", fmt.Errorf("%d is negative", c.MaxCalls))
	}
	for i, d := range c.DayParts {
		if _, err := d.build(); err != nil {
			v.bad(fmt.Sprintf("day_parts[%d].days", i), err)
		}
	}
	if len(v.errs) == 0 { // the packages' own checks, on a trial of everything
		_, err := c.assemble(past{}, time.Now)
		v.errs = append(v.errs, fields(err)...)
	}
	return errors.Join(v.errs...)
}

type validator struct{ errs []error }

func (v *validator) bad(path string, err error) { v.errs = append(v.errs, &FieldError{path, err}) }

// foreign takes what a package finds wrong with a section.
func (v *validator) foreign(path string, err error) {
	if err != nil {
		v.errs = append(v.errs, fields(&FieldError{path, err})...)
	}
}

func (v *validator) address(path, addr string) {
	if addr == "" {
		v.bad(path, errRequired)
	} else if _, err := net.ResolveUDPAddr("udp", addr); err != nil {
		v.bad(path, err)
	}
}

func listenerPath(list string, i int, field string) string {
	return fmt.Sprintf("%s[%d].%s", list, i, field)
}

func (v *validator) listeners(list string, all []Listener, secrets TLS) {
	for i, l := range all {
		v.oneOf(listenerPath(list, i, "transport"), l.Transport, "udp", "tcp", "tls")
		v.address(listenerPath(list, i, "address"), l.Address)
		v.advertised(listenerPath(list, i, "advertise"), l.Advertise)
		if l.Transport == "tls" && secrets.Certificate == "" {
			v.bad(listenerPath(list, i, "transport"), errors.New("tls needs a certificate, in tls or carrier_tls"))
		}
	}
}

func (v *validator) positive(path string, n int64) {
	if n < 0 {
		v.bad(path, errors.New("it is negative"))
	}
}

func (v *validator) http(path string, h HTTP) {
	if h.Listen == "" {
		return
	}
	addr, err := door.Address(h.Listen)
	if err != nil {
		v.bad(path+".listen", err)
	} else if h.TokenFile == "" && h.TokenEnv == "" {
		if err := door.Loopback(addr); err != nil {
			v.bad(path+".listen", err)
		}
	}
	if (h.CertFile == "") != (h.KeyFile == "") {
		v.bad(path+".key_file", errors.New("it comes with cert_file"))
	}
}

func (v *validator) advertised(path, s string) {
	if s == "" {
		return
	}
	if _, _, err := hostPort(s); err != nil {
		v.bad(path, err)
	}
}

func (v *validator) oneOf(path, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		v.bad(path, fmt.Errorf("%q: want %s", value, strings.Join(allowed, " or ")))
	}
}

func (v *validator) dialers(all []Dialer) {
	if len(all) == 0 {
		v.bad("dialers", errors.New("none: nobody could send a call"))
	}
	names, taken := map[string]bool{}, map[netip.Prefix]string{}
	for i, d := range all {
		path := fmt.Sprintf("dialers[%d]", i)
		switch {
		case d.Name == "":
			v.bad(path+".name", errRequired)
		case names[d.Name]:
			v.bad(path+".name", fmt.Errorf("%q is given twice", d.Name))
		}
		names[d.Name] = true
		if len(d.Sources) == 0 && !d.TLS.some() {
			v.bad(path+".sources", errRequired)
		}
		for k, f := range d.TLS.Fingerprints {
			if _, err := fingerprint(f); err != nil {
				v.bad(fmt.Sprintf("%s.tls.fingerprints[%d]", path, k), err)
			}
		}
		for k, s := range d.Sources {
			p, err := parseNetwork(s)
			if err == nil && taken[p] != "" && !d.TLS.some() {
				err = fmt.Errorf("%s is already a source of %q", p, taken[p])
			}
			if err != nil {
				v.bad(fmt.Sprintf("%s.sources[%d]", path, k), err)
			}
			if !d.TLS.some() {
				taken[p] = d.Name
			}
		}
		switch a := d.Auth; {
		case a.Username == "" && a.Password != "":
			v.bad(path+".auth.username", errRequired)
		case strings.ContainsAny(a.Username+a.Realm, "\"\\\r\n"):
			v.bad(path+".auth", errors.New("user name and realm hold no quotes, backslashes and line ends"))
		}
		for _, name := range d.Auth.Algorithms {
			v.oneOf(path+".auth.algorithms", name, "SHA-256", "MD5")
		}
		if len(d.Tags) > outdial.MaxTags {
			v.bad(path+".tags", fmt.Errorf("%d are more than %d", len(d.Tags), outdial.MaxTags))
		}
		for k, tag := range d.Tags {
			if tag == "" || len(tag) > maxName || strings.ContainsAny(tag, ",; \t\r\n") {
				v.bad(fmt.Sprintf("%s.tags[%d]", path, k), fmt.Errorf("%q: want 1 to %d bytes without spaces, commas and semicolons", tag, maxName))
			}
		}
		if d.Privacy != "" {
			v.oneOf(path+".privacy", d.Privacy, "refuse", "pass")
		}
		if d.MaxCalls < 0 {
			v.bad(path+".max_calls", fmt.Errorf("%d is negative", d.MaxCalls))
		}
		if d.Lease < 0 {
			v.bad(path+".lease", fmt.Errorf("%v is negative", d.Lease))
		}
		if _, ok := parseMode(d.Mode); d.Mode != "" && !ok {
			v.bad(path+".mode", fmt.Errorf("%q: want manual, predictive or prerecorded", d.Mode))
		}
		if _, ok := parsePriority(d.Priority); d.Priority != "" && !ok {
			v.bad(path+".priority", fmt.Errorf("%q: want bulk, normal or urgent", d.Priority))
		}
	}
}

func (v *validator) trunks(all []Trunk) {
	if len(all) == 0 {
		v.bad("trunks", errors.New("none: no call could leave"))
	}
	names := map[string]bool{}
	for i, t := range all {
		path := fmt.Sprintf("trunks[%d]", i)
		switch {
		case t.Name == "":
			v.bad(path+".name", errRequired)
		case names[t.Name]:
			v.bad(path+".name", fmt.Errorf("%q is given twice", t.Name))
		}
		names[t.Name] = true
		if t.Address == "" {
			v.bad(path+".address", errRequired)
			t.Address = "host.invalid" // the rest is to be checked all the same
		}
		if t.Transport != "" {
			v.oneOf(path+".transport", t.Transport, "udp", "tcp", "tls")
		}
		if t.Format != "" {
			v.oneOf(path+".format", t.Format, "plus", "digits")
		}
		if t.Asserted != "" {
			v.oneOf(path+".asserted", t.Asserted, asserted...)
		}
		for _, err := range t.Headers.check() {
			v.bad(path+".headers", err)
		}
		v.foreign(path, trial(t))
	}
}

// trial lets siptrunk check one trunk, on a socket that is none.
func trial(t Trunk) error {
	d, err := siptrunk.New(siptrunk.Config{Conn: noConn{}, Trunks: map[outdial.TrunkID]siptrunk.Trunk{1: t.sip()}})
	if err != nil {
		return err
	}
	return d.Close()
}

// noConn is a socket that nothing is sent through.
type noConn struct{ net.PacketConn }

func (noConn) LocalAddr() net.Addr { return &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 5060} }
func (noConn) Close() error        { return nil }
