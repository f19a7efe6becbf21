// Package page is the page on which people watch a proxy and steer it: what trunks and pools do, with intervals, which calls there are
// and why each went where it went, what broke, and orders to drill, drain and quarantine.
//
// Everything is in the program: the page needs nothing from elsewhere, and nothing is built. A [Page] takes one [Snapshot] a second,
// whatever the number of viewers, and sends it to all of them as server-sent events (GET /page/stream). A viewer that does not keep up is
// dropped, and connects again. Orders go to the admin API, whose token the page asks for and keeps in its tab.
//
// uPlot (assets/uplot.js, MIT, assets/uplot-LICENSE.txt) draws the plots.
package page
