package trace

import "strings"

// apart is how much must be between two moments of different processes, in seconds, to call one the
// earlier.
const apart = 1.0

// moment is a start, a signal or an end of a process.
type moment struct {
	name string // "web/app#1 SIGTERM"
	at   float64
}

// orders wants what happened to the processes of a Pod in the same order.
func (c *comparison) orders() {
	a, b := c.a.moments(), c.b.moments()
	for _, x := range a {
		for _, y := range a {
			if pod(x.name) != pod(y.name) || x.at > y.at-apart {
				continue
			}
			bx, okx := find(b, x.name)
			by, oky := find(b, y.name)
			if okx && oky && bx > by+apart {
				c.differ(pod(x.name)+" order", "%s is %.1f s after %s, in the reference %.1f s before", x.name, bx-by, y.name, y.at-x.at)
			}
		}
	}
}

func pod(name string) string {
	name, _, _ = strings.Cut(name, "/")
	return name
}

func (t Trace) moments() (all []moment) {
	for _, track := range t.Tracks {
		subject, aspect, _ := split(track.Name)
		if aspect != "life" {
			continue
		}
		for _, e := range track.Entries {
			what, _, _ := strings.Cut(e.What, " ")
			if what == "killed" || what == "exit" {
				what = "end"
			}
			all = append(all, moment{subject + " " + what, e.At})
		}
	}
	return all
}

func find(all []moment, name string) (float64, bool) {
	for _, m := range all {
		if m.name == name {
			return m.at, true
		}
	}
	return 0, false
}
