package main

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/template"

	"github.com/outdial/outdial/examples/proxy/b2bua"
)

//go:embed starter.yaml.tmpl
var starterText string

var starter = template.Must(template.New("outdial.yaml").Parse(starterText))

// starterCarrier is a carrier of the starter.
type starterCarrier struct{ Name, Address string }

// starterData is what the starter says.
type starterData struct {
	Carriers []starterCarrier
	Sources  []string
	Callers  []string
	Example  bool // the carriers, dialers or numbers are made up
}

// list is a flag that may be given several times.
type list []string

func (l *list) String() string     { return strings.Join(*l, ", ") }
func (l *list) Set(s string) error { *l = append(*l, s); return nil }

// initialise writes a commented starter for carriers of one's own. It overwrites nothing.
func initialise(args []string, out, diag io.Writer) error {
	flags := flagSet("proxy init", diag)
	var carriers, sources, callers list
	flags.Var(&carriers, "carrier", "name=host:port of a carrier; may be given several times")
	flags.Var(&sources, "dialer", "address or network that the dialer sends from; may be given several times")
	flags.Var(&callers, "caller", "a number of yours to present: +1…; may be given several times")
	if err := parse(flags, args, 1); err != nil {
		return err
	}
	name := "outdial.yaml"
	if flags.NArg() == 1 {
		name = flags.Arg(0)
	}
	text, err := makeStarter(carriers, sources, callers)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) // it will hold passwords
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, text)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: written. Look through it, then: proxy validate -strict %s && proxy -config %s\n", name, name, name)
	return nil
}

// makeStarter fills the starter, and checks it as a start would.
func makeStarter(carriers, sources, callers []string) (string, error) {
	data := starterData{Sources: sources, Callers: callers}
	for _, c := range carriers {
		name, addr, ok := strings.Cut(c, "=")
		if !ok || name == "" || addr == "" {
			return "", fmt.Errorf("-carrier %q: want name=host:port", c)
		}
		data.Carriers = append(data.Carriers, starterCarrier{name, addr})
	}
	if len(carriers) == 0 {
		data.Example = true
		data.Carriers = []starterCarrier{{"first", "sip.first.example"}, {"second", "sip.second.example"}}
	}
	if len(sources) == 0 {
		data.Sources = []string{"127.0.0.1"}
	}
	if len(callers) == 0 {
		data.Example, data.Callers = true, []string{"+12125550101"}
	}
	var b strings.Builder
	if err := starter.Execute(&b, data); err != nil {
		return "", err
	}
	if _, err := b2bua.Load("outdial.yaml", []byte(b.String())); err != nil {
		return "", err
	}
	return b.String(), nil
}
