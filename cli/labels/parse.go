package labels

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/outdial/outdial"
)

// How long a look-up may be relied on. Engines say that labels are per call and change by the hour; a week is how often
// dialers look.
const ttl = 7 * 24 * time.Hour

// AskJSON writes {"phone_numbers": ["+12125550100", …]}, the form of most of these interfaces.
func AskJSON(numbers []outdial.Number) ([]byte, string, error) {
	body, err := json.Marshal(map[string][]outdial.Number{"phone_numbers": numbers})
	return body, "application/json", err
}

// ParseHiya reads {"results":[{"phone":"+1…","status":"flagged|mixed_high|mixed_low|unflagged","category":"…"}]}.
func ParseHiya(body []byte) ([]outdial.Label, error) {
	var answer struct {
		Results []struct{ Phone, Status, Category string }
	}
	return parse("hiya", body, &answer, func(add func(phone, status, category string)) {
		for _, r := range answer.Results {
			add(r.Phone, r.Status, r.Category)
		}
	})
}

// ParseFirstOrion reads {"numbers":[{"tn":"1…","isLabeled":true,"label":"Scam Likely","blocked":false}]}.
func ParseFirstOrion(body []byte) ([]outdial.Label, error) {
	var answer struct {
		Numbers []struct {
			TN, Label          string
			IsLabeled, Blocked bool
		}
	}
	return parse("firstorion", body, &answer, func(add func(phone, status, category string)) {
		for _, r := range answer.Numbers {
			status := "clean"
			switch {
			case r.Blocked:
				status = "blocked"
			case r.IsLabeled:
				status = "labelled"
			}
			add(r.TN, status, r.Label)
		}
	})
}

// ParseTNS reads {"reputation":[{"telephoneNumber":"1…","level":"POSITIVE|NEUTRAL|NEGATIVE|BLOCK","reason":"…"}]}.
func ParseTNS(body []byte) ([]outdial.Label, error) {
	var answer struct {
		Reputation []struct{ TelephoneNumber, Level, Reason string }
	}
	return parse("tns", body, &answer, func(add func(phone, status, category string)) {
		for _, r := range answer.Reputation {
			add(r.TelephoneNumber, r.Level, r.Reason)
		}
	})
}

// ParseTelnyx reads {"data":[{"phone_number":"+1…","reputation":{"spam_risk":"low|medium|high","spam_category":"…"}}]}.
func ParseTelnyx(body []byte) ([]outdial.Label, error) {
	var answer struct {
		Data []struct {
			PhoneNumber string `json:"phone_number"`
			Reputation  struct {
				SpamRisk     string `json:"spam_risk"`
				SpamCategory string `json:"spam_category"`
			}
		}
	}
	return parse("telnyx", body, &answer, func(add func(phone, status, category string)) {
		for _, r := range answer.Data {
			add(r.PhoneNumber, r.Reputation.SpamRisk, r.Reputation.SpamCategory)
		}
	})
}

// statuses are the words of the four for a standing, in lower case. Nothing writes to it.
var statuses = map[string]outdial.LabelStatus{
	"unflagged": outdial.LabelClean, "clean": outdial.LabelClean, "positive": outdial.LabelClean, "neutral": outdial.LabelClean,
	"low": outdial.LabelClean, "mixed_low": outdial.LabelMixed, "mixed_high": outdial.LabelMixed, "medium": outdial.LabelMixed,
	"flagged": outdial.LabelLabelled, "labelled": outdial.LabelLabelled, "negative": outdial.LabelLabelled, "high": outdial.LabelLabelled,
	"block": outdial.LabelBlocked, "blocked": outdial.LabelBlocked,
}

// parse reads one answer. A number that cannot be read is an error; a word that is not known is LabelUnknown.
func parse(engine string, body []byte, into any, each func(add func(phone, status, category string))) ([]outdial.Label, error) {
	if err := json.Unmarshal(body, into); err != nil {
		return nil, fmt.Errorf("labels: %s: %w", engine, err)
	}
	var (
		list []outdial.Label
		bad  error
	)
	each(func(phone, status, category string) {
		n, err := outdial.ParseDigits(phone)
		if err != nil {
			bad = fmt.Errorf("labels: %s: %w", engine, err)
			return
		}
		list = append(list, outdial.Label{
			Number: n, Engine: engine, Status: statuses[strings.ToLower(status)], Category: category, TTL: ttl,
		})
	})
	return list, bad
}
