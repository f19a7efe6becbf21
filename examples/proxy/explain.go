package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/outdial/outdial"
	"github.com/outdial/outdial/examples/proxy/b2bua"
)

// explain says what would be done with a call now, and why: by the configuration alone, or by a running proxy, which knows how its trunks
// and caller IDs stand.
func explain(args []string, out, diag io.Writer) error {
	flags := flagSet("proxy explain", diag)
	config := flags.String("config", "outdial.yaml", "the configuration file")
	url := flags.String("url", "", "ask the admin API of a running proxy: http://127.0.0.1:9465")
	env := flags.String("token-env", "OUTDIAL_TOKEN", "the environment variable with the token for it")
	var d b2bua.Demand
	flags.StringVar(&d.Dialer, "dialer", "", "as a call of this dialer")
	flags.StringVar(&d.From, "from", "", "the caller ID that is asked for")
	flags.StringVar(&d.Tenant, "tenant", "", "of the call")
	flags.StringVar(&d.Program, "program", "", "of the call")
	flags.StringVar(&d.Campaign, "campaign", "", "of the call")
	flags.StringVar(&d.Mode, "mode", "", "manual, predictive, prerecorded")
	flags.StringVar(&d.Priority, "priority", "", "bulk, normal, urgent")
	asJSON := flags.Bool("json", false, "the whole decision as JSON")
	if err := parse(flags, args, 1); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		fmt.Fprintln(diag, "proxy: explain: a number is required")
		return errUsage
	}
	d.To = flags.Arg(0)
	x, err := decision(*config, *url, os.Getenv(*env), d)
	if err != nil {
		return err
	}
	if *asJSON {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(x)
	}
	return tell(out, x)
}

func decision(config, url, token string, d b2bua.Demand) (*outdial.Explanation, error) {
	if url != "" {
		return askProxy(url, token, d)
	}
	cfg, err := read(config)
	if err != nil {
		return nil, err
	}
	x, err := b2bua.Explain(cfg, time.Now(), d)
	return &x, err
}

// askProxy asks a running proxy.
func askProxy(url, token string, d b2bua.Demand) (*outdial.Explanation, error) {
	body, err := json.Marshal(map[string]string{
		"dialer": d.Dialer, "to": d.To, "from": d.From, "tenant": d.Tenant, "program": d.Program, "campaign": d.Campaign, "mode": d.Mode,
		"priority": d.Priority,
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(url, "/")+"/v1/explain", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, 4<<20))
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		return nil, errors.New(res.Status + ": " + strings.TrimSpace(string(data)))
	}
	x := new(outdial.Explanation)
	return x, json.Unmarshal(data, x)
}

// tell says a decision as people would.
func tell(out io.Writer, x *outdial.Explanation) error {
	c := &x.Call
	fmt.Fprintf(out, "A call to %s", c.To)
	for _, part := range []struct{ name, value string }{
		{"group", c.Group}, {"day-part", c.DayPart}, {"network", c.Network}, {"program", c.Program}, {"campaign", c.Campaign},
	} {
		if part.value != "" {
			fmt.Fprintf(out, ", %s %s", part.name, part.value)
		}
	}
	fmt.Fprintf(out, ": %s\n", x.Outcome)
	for _, r := range x.Readings {
		if r.Stage == "routing" && (r.Name == "rule" || r.Name == "override") {
			fmt.Fprintf(out, "%s: %s\n", r.Name, r.Text)
		}
	}
	if r := x.Refused; r != nil {
		fmt.Fprintf(out, "refused by %s (%s): %s\n", r.Stage, r.Code, r.Text)
		if !r.Again.IsZero() {
			fmt.Fprintf(out, "asking again helps at %s\n", r.Again.Format(time.RFC3339))
		}
	}
	if len(x.Candidates) == 0 {
		return nil
	}
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\ttrunk\tcarrier\ttier\tfate\tchosen by\tcaller ID\twhy")
	for i := range x.Candidates {
		k := &x.Candidates[i]
		cli, why := "", ""
		if k.CLI != 0 {
			cli = k.CLI.String()
		}
		if k.Refused != nil {
			why = k.Refused.Stage + ", " + k.Refused.Code + ": " + k.Refused.Text
		}
		fmt.Fprintf(t, "%d.\t%s\t%s\t%d\t%s\t%s\t%s\t%s\n", i+1, k.Trunk, k.Carrier, k.Tier, k.Fate, k.Chosen, cli, why)
	}
	return t.Flush()
}
