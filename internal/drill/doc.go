// Package drill breaks a running service on purpose, under load, and judges what its probes make of
// it. A restart is right if and only if it cures: faults inside of a process have to lead to one in
// time, faults outside of it never.
//
// What is decided is pure: [NewPlan] chooses the faults that fit the budget, [judge] gives the
// verdicts V1 to V9 from what was recorded. [Run] is the thin shell that runs a system of its own,
// sends the requests, injects and undoes the faults and writes the record. A [Report] is all that
// comes of it; text, JSON, JUnit and pages are made of it alone.
package drill
