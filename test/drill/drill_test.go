//go:build drill

package drill

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// TestDrill: each defect is found by its verdict, and what has none passes. What takes longest
// comes first.
func TestDrill(t *testing.T) {
	b := build(t)
	var tests int32
	t.Cleanup(func() { // after all of them; how many of them can tell depends on the machine
		if n := b.untold.Load(); n > tests/2 {
			t.Errorf("%d of %d drills could not tell anything: this proves nothing", n, tests)
		}
	})
	run := func(name string, test func(t *testing.T)) {
		tests++
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
	run("orders in Python", func(t *testing.T) { b.testOrders(t, "python3", "app.yaml") })
	run("orders in Node", func(t *testing.T) { b.testOrders(t, "node", "node.yaml") })
	run("how-to", b.testHowTo)
	for _, m := range machines() {
		run("on a machine "+m.name, func(t *testing.T) { b.testLeftOut(t, m) })
	}
	for name, test := range map[string]func(t *testing.T){
		"two containers": b.testContainers, "memory": b.testMemory, "names": b.testNames, "later": b.testLater, "named": b.testNamed, "IPv6": b.testIPv6,
	} {
		run(name, test)
	}
	for part := range slices.Chunk(soundFaults(), 4) {
		run("sound: "+strings.Join(part, " "), func(t *testing.T) { b.passes(t, part) })
	}
	for _, d := range defects() {
		run(d.name, func(t *testing.T) { b.finds(t, d) })
	}
}

// finds drills a defect. A drill on a machine that was too busy to tell is repeated.
func (b built) finds(t *testing.T, d defect) {
	var r report
	for range 3 {
		r = b.drill(t, d.args, d.patch, d.requests, "--fault", d.fault)
		if len(r.of("fail")) > 0 || len(r.of("inconclusive")) == 0 {
			break
		}
	}
	if len(r.of("fail")) == 0 && len(r.of("inconclusive")) > 0 {
		b.couldNotTell(t)
	}
	if !slices.ContainsFunc(r.of("fail"), func(v verdict) bool { return d.is(v) }) {
		t.Errorf("%s was not found by %v:\n%s", d.name, d.rules, &r)
	}
}

// is reports whether a verdict is the one about the defect.
func (d defect) is(v verdict) bool {
	return slices.Contains(d.rules, v.Rule) && strings.Contains(v.Text, d.says) && (d.advice == "" || v.Advice.Rule == d.advice)
}

// couldNotTell ends a test whose drills were made on a machine that was too busy. No more
// than half of all tests may end so.
func (b built) couldNotTell(t *testing.T) {
	b.untold.Add(1)
	t.Skip("this machine was too busy to tell")
}

// passes drills what has no defect. A failure that comes again is one: on a busy machine a sound
// service, too, may be late once.
func (b built) passes(t *testing.T, faults []string) {
	var args []string
	for _, f := range faults {
		args = append(args, "--fault", f)
	}
	for range 3 {
		r := b.drill(t, nil, nil, []string{store, "GET /"}, args...)
		if len(r.of("fail")) == 0 && len(r.Failures) == 0 && len(r.LeftOut) == 0 {
			return
		}
		t.Logf("a sound service does not pass:\n%s", &r)
	}
	t.Error("a sound service does not pass, each of three times")
}

// report is what the tests read of one.
type report struct {
	Results []struct {
		Fault, Measured string
		Verdicts        []verdict
		Remarks         []string
		Repetitions     []repetition
	}
	LeftOut      []struct{ Fault, Reason string }
	Dependencies []struct{ Name, Address string }
	Failures     []string
	stderr       string
}

// repetition is one of a fault, in seconds.
type repetition struct {
	Pod, Means          string
	Phase               float64
	Tainted             bool
	Predicted, Measured struct{ Killed *float64 }
}

type verdict struct {
	Rule, Grade, Word, Text string
	Advice                  struct{ Rule string }
}

// of are the verdicts of a grade.
func (r *report) of(grade string) (all []verdict) {
	for _, result := range r.Results {
		for _, v := range result.Verdicts {
			if v.Grade == grade {
				all = append(all, v)
			}
		}
	}
	return all
}

func (r *report) String() string {
	var b strings.Builder
	for _, result := range r.Results {
		fmt.Fprintf(&b, "%s: %s\n", result.Fault, result.Measured)
		for _, v := range result.Verdicts {
			fmt.Fprintf(&b, "\t%s %s, %s: %s\n", v.Rule, v.Grade, v.Word, v.Text)
		}
		for _, remark := range result.Remarks {
			fmt.Fprintf(&b, "\t%s\n", remark)
		}
	}
	for _, l := range r.LeftOut {
		fmt.Fprintf(&b, "left out: %s: %s\n", l.Fault, l.Reason)
	}
	return b.String() + strings.Join(r.Failures, "\n") + r.stderr
}

// built is what the tests run.
type built struct {
	probity, service, database string
	names                      string        // the address of a name server, of tests that have one
	untold                     *atomic.Int32 // tests in which nothing could be told
	through                    []string      // a program that executes probity, and its arguments
	env                        []string      // besides that of the tests
}

// build builds both programs, and is the database itself.
func build(t *testing.T) built {
	t.Helper()
	dir := openFolder(t)
	b := built{probity: filepath.Join(dir, "probity"), service: filepath.Join(dir, "service"), database: serveDatabase(t, "127.0.0.1"), untold: new(atomic.Int32)}
	for program, of := range map[string]string{b.probity: "../../cmd/probity", b.service: "./service"} {
		if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, of).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	return b
}

// openFolder is a folder for the time of a test that other users may read.
func openFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, folder := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// serveDatabase answers each line with a line until the test ends, at a port of an address.
func serveDatabase(t *testing.T, address string) string {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	var mu sync.Mutex // guards conns
	var conns []net.Conn
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
			serving.Go(func() {
				defer conn.Close()
				for lines := bufio.NewScanner(conn); lines.Scan(); {
					if _, err := conn.Write([]byte("ok\n")); err != nil {
						return
					}
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, c := range conns {
			_ = c.Close()
		}
		mu.Unlock()
		serving.Wait()
	})
	return l.Addr().String()
}

// drill drills the service with some changes, one repetition of each fault.
func (b built) drill(t *testing.T, flags, patch, requests []string, args ...string) report {
	t.Helper()
	args = append([]string{"--repeat", "1", "--dependency", "db=DATABASE", "--command", "service=" + strings.Join(append([]string{b.service}, flags...), " "), "--command", "beside=" + b.service}, args...)
	for _, r := range requests {
		args = append(args, "--request", r)
	}
	return b.drillText(t, b.manifest(t, patch), args...)
}

// drillText drills what a manifest describes.
func (b built) drillText(t *testing.T, manifest string, args ...string) report {
	t.Helper()
	file := filepath.Join(openFolder(t), "app.yaml")
	if err := os.WriteFile(file, []byte(manifest), 0o644); err != nil {
		t.Fatal(err)
	}
	args = append([]string{"drill", file, "-o", "json"}, args...)
	argv := slices.Concat(b.through, []string{b.probity}, args)
	cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), b.env...)
	cmd.Cancel, cmd.WaitDelay = func() error { return cmd.Process.Signal(os.Interrupt) }, patience
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var r report
	if json.Unmarshal(stdout.Bytes(), &r) != nil {
		t.Fatalf("%v\n%s\n%s", err, &stderr, &stdout)
	}
	r.stderr = stderr.String()
	return r
}

// manifest is that of the service, with pieces and what takes their places in turn.
func (b built) manifest(t *testing.T, patch []string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/service.yaml")
	if err != nil {
		t.Fatal(err)
	}
	manifest := string(text)
	for i := 0; i+1 < len(patch); i += 2 {
		if !strings.Contains(manifest, patch[i]) {
			t.Fatalf("the manifest has no %q", patch[i])
		}
		manifest = strings.Replace(manifest, patch[i], patch[i+1], 1)
	}
	// the variable names the database, so that it is found where connects cannot be watched, too
	return strings.Replace(manifest, "        image: service\n", "        image: service\n        env: [{name: DATABASE, value: '"+b.database+"'}]\n", 1)
}
