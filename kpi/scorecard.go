package kpi

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// WriteCSV writes the cells of one view as a scorecard: a line for each, after a line of column names. Ratios are fractions
// with the ends of their 95 % interval and a verdict beside them; what is undefined is empty, never zero. Durations are in
// seconds; the slow share is that of the second hump of PDD, where there are two (Sketch.Humps). The dimensions of the view come first, by their names.
func (r *Report) WriteCSV(w io.Writer, view View) error {
	var dims []string
	for i, name := range dimensionNames {
		if view&(1<<i) != 0 {
			dims = append(dims, name)
		}
	}
	out := csv.NewWriter(w)
	header := append(slices.Clone(dims), "calls", "bids", "seizures", "open", "answers")
	for _, name := range []string{"asr", "ner", "abr"} {
		header = append(header, name, name+"_low", name+"_high", name+"_verdict")
	}
	for _, s := range r.ShortCalls {
		header = append(header, "short_"+strconv.FormatFloat(s, 'g', -1, 64)+"s")
	}
	header = append(header, "zero_second", "block", "abnormal", "no_ring", "early_media", "pdd_p50", "pdd_p95", "pdd_slow_share",
		"pdd_slow_mode", "ringing_p50", "audible_p50", "srd_failed_p50", "sdd_p50", "ring_p50", "acd",
		"contacts", "cost_micros", "code_table")
	if err := out.Write(header); err != nil {
		return fmt.Errorf("kpi: %w", err)
	}
	for i := range r.Cells {
		c := &r.Cells[i]
		if c.View != view {
			continue
		}
		row := make([]string, 0, len(header))
		for _, d := range dims {
			if row = append(row, c.Key[d]); c.Key["other"] != "" {
				row[len(row)-1] = otherCode
			}
		}
		for _, n := range []uint64{c.Calls, c.Bids, c.Seizures, c.Open, c.Answers} {
			row = append(row, strconv.FormatUint(n, 10))
		}
		for _, ratio := range []*RatioReport{&c.ASR, &c.NER, &c.ABR} {
			row = append(row, decimal(ratio.Value), decimal(ratio.Low), decimal(ratio.High), ratio.Verdict.String())
		}
		for k := range c.Short {
			row = append(row, decimal(c.Short[k].Value))
		}
		for _, ratio := range []*RatioReport{&c.ZeroSecond, &c.Block, &c.Abnormal, &c.NoRing, &c.EarlyMediaRate} {
			row = append(row, decimal(ratio.Value))
		}
		var share, mode *float64
		if len(c.PDD.Humps) == 2 {
			share, mode = &c.PDD.Humps[1].Share, &c.PDD.Humps[1].Mode
		}
		row = append(row, decimal(c.PDD.P50), decimal(c.PDD.P95), decimal(share), decimal(mode), decimal(c.Ringing.P50),
			decimal(c.Audible.P50), decimal(c.SRDFailed.P50), decimal(c.SDD.P50), decimal(c.Ring.P50), decimal(c.ACD.Mean),
			strconv.FormatUint(c.Contacts, 10), strconv.FormatInt(int64(c.Cost), 10), strconv.Itoa(r.CodeTable))
		if err := out.Write(row); err != nil {
			return fmt.Errorf("kpi: %w", err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("kpi: %w", err)
	}
	return nil
}

// decimal writes a figure to four digits behind the point, without those that are zero.
func decimal(v *float64) string {
	if v == nil {
		return ""
	}
	s := strconv.FormatFloat(*v, 'f', 4, 64)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}
