// Package kpiprom shows what happened to outbound calls to Prometheus.
//
// A [Collector] is an observer of an engine and a collector of client_golang: it counts attempts, outcomes and refusals and
// keeps histograms of post-dial delay and duration since its start, which is what rate() and histogram_quantile() want, and
// it reads a kpi.Meter at each scrape for the ratios of its window with their intervals, which is what people want.
//
// Labels are the dimensions of one view. They are bounded: views by telephone number are refused, and label sets beyond
// Config.MaxSeries are counted together under "other" and in outdial_series_truncated_total. No telephone number ever
// becomes a label.
//
// alerts.yml in this directory has alert rules for the metrics.
package kpiprom
