//go:build drill

package drill

import (
	"net"
	"slices"
	"strings"
	"testing"
)

// untilTold drills until this machine was not too busy to tell, nor for the service to work without
// a fault.
func (b built) untilTold(t *testing.T, drill func() report) report {
	t.Helper()
	var r report
	broken := func(v verdict) bool { return v.Grade == "fail" }
	for range 3 {
		r = drill()
		if alone := slices.ContainsFunc(r.Results[0].Verdicts, broken); !alone && (len(r.of("inconclusive")) == 0 || len(r.of("fail")) > 0) {
			return r
		}
	}
	if len(r.of("fail")) == 0 {
		b.couldNotTell(t)
	}
	return r
}

// isSound fails the test unless all faults were tried and passed.
func isSound(t *testing.T, r report, faults int) {
	t.Helper()
	if len(r.of("fail")) > 0 || len(r.Failures) > 0 || len(r.LeftOut) > 0 || len(r.Results) != faults+1 {
		t.Errorf("want %d faults that pass:\n%s", faults, &r)
	}
}

// testContainers: where both containers are watched, a hang of each is noticed.
func (b built) testContainers(t *testing.T) {
	isSound(t, b.untilTold(t, func() report { return b.drill(t, nil, beside(probed), []string{"GET /"}, "--fault", "hang") }), 2)
}

// testMemory: a service that leaks is killed when it has what it may have, and comes again; one
// that does not is not, and the drill says that nothing was tried.
func (b built) testMemory(t *testing.T) {
	leaky := b.untilTold(t, func() report {
		return b.drill(t, []string{"-leak", "8"}, nil, []string{"GET /"}, "--fault", "memory=64Mi+1m", "--budget", "2m")
	})
	isSound(t, leaky, 1)
	if means := leaky.Results[len(leaky.Results)-1].Repetitions[0].Means; !strings.HasSuffix(means, "as OOMKilled") {
		t.Errorf("of what was killed it says %q", means)
	}
	r := b.drill(t, nil, nil, []string{"GET /"}, "--fault", "memory=1Gi+2s")
	if len(r.LeftOut) != 1 || !strings.Contains(r.LeftOut[0].Reason, "a longer one is memory=1Gi+4s") {
		t.Errorf("a limit that nothing reaches:\n%s", &r)
	}
}

// testNames: a service whose database has a name bears that names are not found, or late; one whose
// liveness probe asks the database does not.
func (b built) testNames(t *testing.T) {
	_, port, err := net.SplitHostPort(b.database)
	if err != nil {
		t.Fatal(err)
	}
	names := serveNames(t, "database.test.")
	b.database = "database.test:" + port
	flags := []string{"-names", names, "-connect", "each"}
	faults := []string{"--rate", "5", "--fault", "dns", "--fault", "dns=slow:5s"} // each request asks for the name
	owned := []string{"probity.run/dependency.db: owned", "probity.run/dependency.db: owned\n        probity.run/dependency.dns: owned"}
	isSound(t, b.untilTold(t, func() report { return b.drill(t, flags, owned, []string{store}, faults...) }), 2)
	r := b.untilTold(t, func() report { return b.drill(t, append(flags, "-live", "ready"), owned, []string{store}, faults...) })
	for _, result := range r.Results[1:] {
		if !slices.ContainsFunc(result.Verdicts, func(v verdict) bool { return v.Rule == "V2" && v.Grade == "fail" }) {
			t.Errorf("%s restarts nothing:\n%s", result.Fault, &r)
		}
	}
}

// testLater: what nothing connects to before the first fault is broken, too.
func (b built) testLater(t *testing.T) {
	spare := serveDatabase(t, "127.0.0.1")
	b.env = []string{"SPARE=" + spare}
	r := b.untilTold(t, func() report {
		return b.drill(t, []string{"-late", "14s"}, nil, []string{"GET /"}, "--fault", "dependency-outage:"+spare+"+1s", "--fault", "hang+2500ms", "--fault", "crash")
	})
	isSound(t, r, 3)
	if last := r.Results[len(r.Results)-1].Fault; !strings.HasPrefix(last, "dependency-outage") {
		t.Errorf("the last fault is %s, want what was found later:\n%s", last, &r)
	}
}

// testNamed: a Service that a variable names, and that no request needs, is said.
func (b built) testNamed(t *testing.T) {
	manifest := strings.Replace(b.manifest(t, nil), "env: [", "env: [{name: AUDIT_URL, value: 'http://audit:80/'}, ", 1) +
		"---\napiVersion: v1\nkind: Service\nmetadata: {name: audit}\nspec: {selector: {app: audit}, ports: [{port: 80}]}\n"
	r := b.drillText(t, manifest, "--command", "service="+b.service, "--fault", "dependency-outage:audit")
	if len(r.LeftOut) != 1 || !strings.Contains(r.LeftOut[0].Reason, "named by AUDIT_URL, but nothing connected to it") {
		t.Errorf("what nothing connects to:\n%s", &r)
	}
}

// testIPv6: a service and a database that have an address of IPv6 alone are asked, found and
// broken.
func (b built) testIPv6(t *testing.T) {
	if l, err := net.Listen("tcp", "[::1]:0"); err != nil {
		t.Skip("NOT TESTED: IPv6, which is not there: ", err)
	} else {
		l.Close()
	}
	b.database = serveDatabase(t, "::1")
	isSound(t, b.untilTold(t, func() report {
		return b.drill(t, []string{"-host", "::1"}, nil, []string{store}, "--fault", "dependency-outage:db+3s", "--fault", "hang", "--fault", "held=20", "--fault", "dependency-outage:db@start")
	}), 4)
	r := b.untilTold(t, func() report {
		return b.drill(t, []string{"-host", "::1", "-live", "ready"}, nil, []string{store}, "--fault", "dependency-outage:db")
	})
	if !slices.ContainsFunc(r.of("fail"), func(v verdict) bool { return v.Rule == "V2" }) {
		t.Errorf("its outage restarts nothing:\n%s", &r)
	}
}
