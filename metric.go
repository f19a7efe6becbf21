package outdial

// Metric is a measured quantity of a route that kpi tells and that routing and failover read, each as an [Estimate]:
// of a ratio in [0, 1], of seconds, or of a score.
type Metric uint8

// Metrics. Where nothing is said, they are per leg, by the outcome classes of kpi.
const (
	MetricASR     Metric = iota // answered, of seizures (ITU-T E.411): a ratio
	MetricNER                   // reached the network of the callee or the callee, of seizures (ITU-T E.425): a ratio
	MetricPDD                   // 95th percentile of post-dial delay, INVITE to first 18x: seconds
	MetricShort                 // shorter than the first short-call threshold, of answers: a ratio
	MetricDrop                  // released abnormally, of answers: a ratio
	MetricContact               // disposed as a contact, of seizures: a ratio
	MetricMOS                   // estimated mean opinion score, 1 to 5
	MetricFAS                   // answered without any ringing, of answers: a ratio
	MetricCount                 // number of metrics, not a metric
)

// String returns "asr", "ner", "pdd", "short", "drop", "contact", "mos" or "fas".
func (m Metric) String() string {
	return nameOf(m, "asr", "ner", "pdd", "short", "drop", "contact", "mos", "fas")
}
