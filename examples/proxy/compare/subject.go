package main

import (
	"cmp"
	_ "embed"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"text/template"
	"time"
)

// The files that the subjects and sipp are run with.
var (
	//go:embed peers/kamailio.cfg
	kamailioCfg string
	//go:embed peers/proxy.yaml
	proxyYAML string
	//go:embed peers/static.yaml
	staticYAML string
	//go:embed peers/caller.xml
	callerXML string
	//go:embed peers/callee.xml
	calleeXML string
	//go:embed peers/refusing.xml
	refusingXML string
)

// subject is something that stands between the caller and the callee.
type subject struct {
	name, title string
	start       func(b *bench, listen int, gateways []int) (*process, error)
}

const (
	direct   = "direct"
	kamailio = "kamailio"
	dialogs  = "kamailio-dialog"
	bare     = "forwarder"
	static   = "static"
	full     = "proxy"
)

var subjects = []subject{
	{full, "outdial's proxy, routing, CLI, KPI, journal on", func(b *bench, listen int, gateways []int) (*process, error) {
		return b.startProxy(proxyYAML, listen, gateways)
	}},
	{static, "outdial's proxy, one static route", func(b *bench, listen int, gateways []int) (*process, error) {
		return b.startProxy(staticYAML, listen, gateways)
	}},
	{dialogs, "Kamailio, tm + dialog + dispatcher", func(b *bench, listen int, gateways []int) (*process, error) {
		return b.startKamailio(true, listen, gateways)
	}},
	{kamailio, "Kamailio, tm + dispatcher", func(b *bench, listen int, gateways []int) (*process, error) {
		return b.startKamailio(false, listen, gateways)
	}},
	{bare, "bare forwarder on sipgo", (*bench).startForwarder},
}

func title(name string) string {
	for _, s := range subjects {
		if s.name == name {
			return s.title
		}
	}
	return name
}

// start starts a subject and waits until it serves.
func (b *bench) start(name string, gateways ...int) (*process, int, error) {
	listen, err := freePort()
	if err != nil {
		return nil, 0, err
	}
	for _, s := range subjects {
		if s.name != name {
			continue
		}
		p, err := s.start(b, listen, gateways)
		if err != nil {
			return nil, 0, fmt.Errorf("%s: %w", name, err)
		}
		b.running = append(b.running, p)
		if err := bound(listen, 10*time.Second); err != nil {
			p.stop(syscall.SIGKILL, time.Second)
			return nil, 0, fmt.Errorf("%s: %w\n%s", name, err, &p.output)
		}
		time.Sleep(300 * time.Millisecond) // all of its processes are there
		return p, listen, nil
	}
	return nil, 0, fmt.Errorf("there is no %q", name)
}

func (b *bench) startProxy(config string, listen int, gateways []int) (*process, error) {
	carrier, err := freePort()
	if err != nil {
		return nil, err
	}
	t, err := template.New("").Funcs(template.FuncMap{"add": func(a, b int) int { return a + b }}).Parse(config)
	if err != nil {
		return nil, err
	}
	var text strings.Builder
	var addrs []string
	for _, g := range gateways {
		addrs = append(addrs, local(g))
	}
	if err := t.Execute(&text, map[string]any{"Listen": local(listen), "Carrier": local(carrier), "Gateways": addrs, "Dir": b.dir}); err != nil {
		return nil, err
	}
	var numbers strings.Builder
	numbers.WriteString("number,pool,evidence\n")
	for i := range 500 {
		fmt.Fprintf(&numbers, "+1%d%07d,sales,contract 7\n", areas[i%len(areas)], 2000000+i)
	}
	if err := b.write("callerids.csv", numbers.String()); err != nil {
		return nil, err
	}
	if err := b.write("outdial.yaml", text.String()); err != nil {
		return nil, err
	}
	return launch(b.dir, b.Proxy, "-config", "outdial.yaml")
}

func (b *bench) startForwarder(listen int, gateways []int) (*process, error) {
	var addrs []string
	for _, g := range gateways {
		addrs = append(addrs, local(g))
	}
	return launch(b.dir, b.Forwarder, "-listen", local(listen), "-gateways", strings.Join(addrs, ","))
}

// startKamailio starts two workers with 512 MB to share, which it touches as it needs them, the quickest of its allocators, and buffers of its socket as
// large as the others have.
func (b *bench) startKamailio(dialog bool, listen int, gateways []int) (*process, error) {
	var list strings.Builder
	for i, g := range gateways {
		fmt.Fprintf(&list, "1 sip:%s 0 %d\n", local(g), 100-i)
	}
	cfg := strings.NewReplacer("listen=LISTEN", "listen=udp:"+local(listen), "LIST)", strconv.Quote(filepath.Join(b.dir, "dispatcher.list"))+")").
		Replace(kamailioCfg)
	if err := cmp.Or(b.write("dispatcher.list", list.String()), b.write("kamailio.cfg", cfg)); err != nil {
		return nil, err
	}
	args := []string{"-f", "kamailio.cfg", "-DD", "-E", "-m", "512", "-M", "16", "-x", "tlsf", "-b", "4194304", "-w", b.dir, "-Y", b.dir, "-P", filepath.Join(b.dir, "kamailio.pid")}
	if dialog {
		args = append(args, "-A", "WITH_DIALOG")
	}
	return launch(b.dir, "kamailio", args...)
}

func (b *bench) write(name, text string) error {
	return os.WriteFile(filepath.Join(b.dir, name), []byte(text), 0o600)
}

// areas are area codes with their own numbering.
var areas = []int{212, 303, 404, 206, 312, 305, 602, 617, 713, 415}

func local(port int) string { return "127.0.0.1:" + strconv.Itoa(port) }

// freePort is a UDP port that was free a moment ago.
func freePort() (int, error) {
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return 0, err
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).Port, nil
}
