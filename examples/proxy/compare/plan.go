package main

import "time"

// firstTry is the rate, in calls per second, from which the highest one is looked for.
const firstTry = 2000

// plan is the measurements of one round, in an order that lets all subjects have their turn under the same conditions. What takes long, and
// differs less from one time to the next, is in the first round alone.
func plan(quick bool, round int) (jobs []job) {
	length := func(short, long time.Duration) time.Duration {
		if quick {
			return short
		}
		return long
	}
	add := func(kind string, rate int, l time.Duration, first string, names ...string) {
		for i := range names { // each round begins with another one
			jobs = append(jobs, job{Kind: kind, Subject: names[(i+round)%len(names)], Rate: rate, Length: l, First: first})
		}
	}
	for _, rate := range []int{500, 1000} {
		add("cpu", rate, length(3*time.Second, 8*time.Second), "", full, static, dialogs, kamailio, bare)
	}
	for _, first := range []string{"live", "dead"} {
		add("cpu", 500, 8*time.Second, first, full, dialogs) // in the first second nobody knows yet that a gateway is silent
	}
	if round > 0 {
		return jobs
	}
	add("delay", 200, length(2*time.Second, 10*time.Second), "", direct, full, dialogs, kamailio, bare)
	for _, first := range []string{"10", "100", "dead"} {
		add("failover", 10, length(3*time.Second, 15*time.Second), first, full, dialogs, bare)
	}
	if quick {
		add("memory", 1000, 5*time.Second, "", full, dialogs, bare)
		return jobs
	}
	add("memory", 1000, 20*time.Second, "", full, static, dialogs, kamailio, bare)
	add("ceiling", firstTry, 4*time.Second, "", full, dialogs, kamailio, bare)
	return jobs
}
