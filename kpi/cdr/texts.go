package cdr

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/outdial/outdial"
)

func unsigned(v uint64) string {
	if v == 0 {
		return ""
	}
	return strconv.FormatUint(v, 10)
}

func signed(v int64) string {
	if v == 0 {
		return ""
	}
	return strconv.FormatInt(v, 10)
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// seconds writes d exactly: nine digits at most behind the point. Zero is "".
func seconds(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return secondsOrZero(d)
}

func secondsOrZero(d time.Duration) string {
	sign, u := "", uint64(d)
	if d < 0 {
		sign, u = "-", -u
	}
	s := fmt.Sprintf("%s%d.%09d", sign, u/1e9, u%1e9)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

func spanOf(d time.Duration, ok bool) string {
	if !ok {
		return ""
	}
	return secondsOrZero(d)
}

func parseUint(s string, v *uint64) (err error) {
	*v, err = strconv.ParseUint(s, 10, 64)
	return err
}

func parseTime(s string, t *time.Time) error {
	v, err := time.Parse(time.RFC3339Nano, s)
	*t = v.UTC()
	return err
}

func parseSeconds(s string, d *time.Duration) (err error) {
	if strings.Trim(s, "-0123456789.") != "" {
		return errors.New("not a number of seconds")
	}
	*d, err = time.ParseDuration(s + "s")
	return err
}

func parseCause(s string, c *outdial.Cause) error {
	value, location, located := strings.Cut(s, "/")
	v, err := strconv.ParseUint(value, 10, 7)
	if err != nil {
		return err
	}
	*c = outdial.Cause{Value: uint8(v), Location: outdial.ParseLocation(location)}
	if located && c.Location == outdial.LocationUnknown {
		return errors.New("not a location of RFC 8606")
	}
	return nil
}
