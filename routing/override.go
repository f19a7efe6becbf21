package routing

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/outdial/outdial"
)

// Override changes, for some calls and for a time, what the rules say about a trunk or a carrier. It stands in the policy,
// or comes as an outdial.Control whose action is "routing." and the override's (see Router).
type Override struct {
	Action  OverrideAction `json:"action"            yaml:"action"`
	Trunk   string         `json:"trunk,omitempty"   yaml:"trunk,omitempty"`   // either this
	Carrier string         `json:"carrier,omitempty" yaml:"carrier,omitempty"` // or this

	// Which calls; an empty list is all.
	Prefixes  []outdial.Prefix `json:"prefixes,omitempty"  yaml:"prefixes,omitempty"`
	Networks  []string         `json:"networks,omitempty"  yaml:"networks,omitempty"`
	Campaigns []string         `json:"campaigns,omitempty" yaml:"campaigns,omitempty"`
	Programs  []string         `json:"programs,omitempty"  yaml:"programs,omitempty"`
	Tags      []string         `json:"tags,omitempty"      yaml:"tags,omitempty"` // calls with any of them

	Actor   string  `json:"actor"             yaml:"actor"`   // required: who wants it
	Reason  string  `json:"reason"            yaml:"reason"`  // required
	Expires Instant `json:"expires,omitempty" yaml:"expires"` // required
}

// OverrideAction is what an Override does.
type OverrideAction string

// Actions. Where several apply to a trunk, avoid wins over all, force over pin, and pin over the rest.
const (
	Avoid    OverrideAction = "avoid"    // the trunk carries none of the calls
	Penalise OverrideAction = "penalise" // it is tried after all others
	Prefer   OverrideAction = "prefer"   // it is tried before all others of the plan
	Pin      OverrideAction = "pin"      // of the plan, it alone is left
	Force    OverrideAction = "force"    // it alone, whether or not the rule names it
)

// clearAction is the action of a Control that ends what an earlier one with the same target and value began; "" as its value
// ends all with that target.
const clearAction OverrideAction = "clear"

var overrideActions = []OverrideAction{Avoid, Penalise, Prefer, Pin, Force}

// order is a compiled Override.
type order struct {
	Override
	trunk     outdial.TrunkID
	carrier   outdial.CarrierID
	networks  []outdial.NetworkID
	campaigns []outdial.CampaignID
	programs  []outdial.ProgramID
	tags      []outdial.TagID
}

// compileOrder finds the ids of names; those of calls that are not known yet are issued.
func compileOrder(ids *outdial.Registry, o Override) order {
	k := order{Override: o, trunk: ids.Trunks.ID(o.Trunk), carrier: ids.Carriers.ID(o.Carrier)}
	for _, n := range o.Networks {
		k.networks = append(k.networks, ids.Networks.ID(n))
	}
	for _, n := range o.Campaigns {
		k.campaigns = append(k.campaigns, ids.Campaigns.ID(n))
	}
	for _, n := range o.Programs {
		k.programs = append(k.programs, ids.Programs.ID(n))
	}
	for _, n := range o.Tags {
		k.tags = append(k.tags, ids.Tags.ID(n))
	}
	return k
}

// holds reports whether the order is in force for a call.
func (k *order) holds(now time.Time, call *outdial.Call) bool {
	in := func(p outdial.Prefix) bool { return p.Contains(call.To) }
	return (k.Expires == 0 || InstantOf(now) < k.Expires) &&
		(len(k.Prefixes) == 0 || slices.ContainsFunc(k.Prefixes, in)) &&
		(len(k.networks) == 0 || slices.Contains(k.networks, call.Dest.Network)) &&
		(len(k.campaigns) == 0 || slices.Contains(k.campaigns, call.Campaign)) &&
		(len(k.programs) == 0 || slices.Contains(k.programs, call.Program)) &&
		(len(k.tags) == 0 || slices.ContainsFunc(k.tags, call.Tags.Has))
}

// means reports whether the order is about a candidate.
func (k *order) means(c *outdial.Candidate) bool {
	return k.trunk == c.Trunk && k.trunk != 0 || k.carrier == c.Carrier && k.carrier != 0
}

// target and value are the order as a Control says it.
func (k *order) target() string {
	if k.Carrier != "" {
		return "carrier " + k.Carrier
	}
	return "trunk " + k.Trunk
}

func (k *order) value() string {
	var parts []string
	for _, p := range k.Prefixes {
		parts = append(parts, "prefix="+p.String())
	}
	for _, l := range []struct {
		name  string
		names []string
	}{{"network", k.Networks}, {"campaign", k.Campaigns}, {"program", k.Programs}, {"tag", k.Tags}} {
		for _, n := range l.names {
			parts = append(parts, l.name+"="+n)
		}
	}
	return strings.Join(parts, "; ")
}

// String tells the order to people.
func (k *order) String() string {
	s := string(k.Action) + " " + k.target()
	if v := k.value(); v != "" {
		s += " for " + v
	}
	s += " (" + k.Actor + ": " + k.Reason
	if k.Expires != 0 {
		s += ", until " + k.Expires.String()
	}
	return s + ")"
}

// parseOverride reads a Control. The target is "trunk alpha-1" or "carrier alpha"; the value says which calls, as
// "prefix=+1602; network=tmobile; campaign=spring; program=sales; tag=vip", each as often as needed; "" = all.
func parseOverride(c *outdial.Control) (Override, error) {
	action := OverrideAction(strings.TrimPrefix(c.Action, controlPrefix))
	o := Override{Action: action, Actor: c.Actor, Reason: c.Reason}
	if !c.Expires.IsZero() {
		o.Expires = InstantOf(c.Expires)
	}
	if !slices.Contains(overrideActions, action) && action != clearAction {
		return o, fmt.Errorf("action: %q is none of %v", action, append(slices.Clone(overrideActions), clearAction))
	}
	kind, name, _ := strings.Cut(c.Target, " ")
	switch {
	case kind == "trunk" && name != "":
		o.Trunk = name
	case kind == "carrier" && name != "":
		o.Carrier = name
	default:
		return o, fmt.Errorf(`target: %q is neither "trunk NAME" nor "carrier NAME"`, c.Target)
	}
	for part := range strings.SplitSeq(c.Value, ";") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		field, value, ok := strings.Cut(part, "=")
		switch {
		case !ok || value == "":
			return o, fmt.Errorf("value: %q: want prefix=, network=, campaign=, program= or tag= and a name", part)
		case field == "prefix":
			p, err := outdial.ParsePrefix(value)
			if err != nil {
				return o, fmt.Errorf("value: %w", err)
			}
			o.Prefixes = append(o.Prefixes, p)
		case field == "network":
			o.Networks = append(o.Networks, value)
		case field == "campaign":
			o.Campaigns = append(o.Campaigns, value)
		case field == "program":
			o.Programs = append(o.Programs, value)
		case field == "tag":
			o.Tags = append(o.Tags, value)
		default:
			return o, fmt.Errorf("value: %q is not prefix, network, campaign, program or tag", field)
		}
	}
	return o, nil
}

// checkOverride reports what does not fit. The trunk or carrier must be one of the policy.
func checkOverride(place string, o *Override, names *index, bad *problems) {
	if !slices.Contains(overrideActions, o.Action) {
		bad.add(place+".action", "%q is none of %v", o.Action, overrideActions)
	}
	_, known := names.trunks[o.Trunk]
	switch {
	case (o.Trunk == "") == (o.Carrier == ""):
		bad.add(place, "want either a trunk or a carrier")
	case o.Trunk != "" && !known:
		bad.add(place+".trunk", "there is no trunk %q", o.Trunk)
	case o.Carrier != "" && len(names.carriers[o.Carrier]) == 0:
		bad.add(place+".carrier", "no trunk has the carrier %q", o.Carrier)
	}
	for _, f := range []struct {
		name    string
		missing bool
	}{{"actor", o.Actor == ""}, {"reason", o.Reason == ""}, {"expires", o.Expires == 0}} {
		if f.missing {
			bad.add(place+"."+f.name, "required")
		}
	}
	for _, l := range []struct {
		name  string
		names []string
	}{{"networks", o.Networks}, {"campaigns", o.Campaigns}, {"programs", o.Programs}, {"tags", o.Tags}} {
		for i, n := range l.names {
			at := fmt.Sprintf("%s.%s[%d]", place, l.name, i)
			if n == "" {
				bad.add(at, "empty name")
			} else if l.name == "tags" {
				checkTag(at, n, bad)
			}
		}
	}
	for i, p := range o.Prefixes {
		if p >= tooLong {
			bad.add(fmt.Sprintf("%s.prefixes[%d]", place, i), "more than 15 digits")
		}
	}
}

const controlPrefix = "routing."

var (
	errExpires  = errors.New("expires: required, and in the future: an override ends")
	errRollback = errors.New("there is no policy to go back to")
)
