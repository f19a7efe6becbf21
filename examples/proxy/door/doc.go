// Package door is what the proxy's HTTP APIs have in common: who may come in (Tokens, Guard), how requests are read (Decode), how refusals
// look (Problem), and serving until the end (Config.Serve).
package door
