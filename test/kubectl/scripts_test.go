//go:build kubectl

package kubectl

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts plays testdata/script, each script on a run of its own. There are kubectl, the
// manifest app.yaml, the path of probity in $PROBITY, and beside testscript's own commands
//
//	run [FILE...]          starts "probity run FILE..." and points kubectl to it; it is stopped at
//	                       the end of the script, or by stop
//	stop                   stops it, which has to succeed and to leave no process
//	crash                  kills it, and waits until no process is left
//	until REGEXP COMMAND   repeats a command until it succeeds and its output matches
//	golden FILE            compares the last output, masked, with a file
//	processes NUMBER NAME  waits until so many processes of this name belong to the run
//	shows REGEXP COMMAND   waits until a command has printed a match, and interrupts it
//	forward N TARGET PORT  makes N requests at a time through "kubectl port-forward TARGET :PORT"
//
// The condition cluster is true where another program stands for probity.
func TestScripts(t *testing.T) {
	programs, err := buildPrograms()
	if err != nil {
		t.Fatal(err)
	}
	app, err := os.ReadFile("testdata/app.yaml")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", filepath.Dir(programs.kubectl)+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv("PROBITY", programs.probity)
			env.Setenv("HOME", filepath.Join(env.WorkDir, ".home")) // where kubectl keeps discovery
			env.Values[script{}] = &script{program: programs.probity, kubectl: programs.kubectl}
			return os.WriteFile(filepath.Join(env.WorkDir, "app.yaml"), app, 0o644)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"run": runCommand, "stop": stopCommand, "crash": crashCommand, "until": untilCommand, "golden": goldenCommand, "processes": processesCommand,
			"shows": showsCommand, "forward": forwardCommand,
		},
		Condition: func(name string) (bool, error) {
			if name != "cluster" {
				return false, fmt.Errorf("there is no condition %s", name)
			}
			return os.Getenv(programVariable) != "", nil
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

// script is the state of one script, and the key by which it is found.
type script struct {
	program, kubectl string
	server           *Server
}

func runCommand(ts *testscript.TestScript, neg bool, args []string) {
	s := ts.Value(script{}).(*script)
	if neg || s.server != nil {
		ts.Fatalf("usage: run [FILE...], once")
	}
	var env []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR"} {
		env = append(env, name+"="+ts.Getenv(name))
	}
	server, err := Start(s.program, ts.MkAbs("state"), ts.MkAbs("."), env, args...)
	ts.Check(err)
	s.server = server
	ts.Defer(func() { stopCommand(ts, false, nil) })
	ts.Setenv("KUBECONFIG", server.Kubeconfig)
}

func stopCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: stop")
	}
	s := ts.Value(script{}).(*script)
	if s.server == nil {
		return
	}
	server := s.server
	s.server = nil
	err := server.Stop()
	ts.Logf("probity run said:\n%s", server.Output())
	ts.Check(err)
}

func crashCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: crash")
	}
	s := ts.Value(script{}).(*script)
	server := s.server
	ts.Check(server.cmd.Process.Kill())
	<-server.ended
	if !within(timeout, func() bool { return len(server.Processes()) == 0 }) {
		ts.Fatalf("%v are left", server.Processes())
	}
	s.server = nil
}

func untilCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until REGEXP COMMAND...")
	}
	wanted, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	found := within(timeout, func() bool {
		return ts.Exec(args[1], args[2:]...) == nil && wanted.MatchString(ts.ReadFile("stdout"))
	})
	if !found {
		ts.Fatalf("no match for %s within %v", args[0], timeout)
	}
}

func goldenCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: golden FILE")
	}
	if diff := cmp.Diff(Mask(ts.ReadFile(args[0])), Mask(ts.ReadFile("stdout"))); diff != "" {
		ts.Fatalf("%s (-want +got):\n%s", args[0], diff)
	}
}

func processesCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: processes NUMBER NAME")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	s := ts.Value(script{}).(*script)
	var found []string
	if !within(timeout, func() bool {
		found = nil
		for _, p := range s.server.Processes() {
			if words := strings.Fields(p.Command); len(words) > 0 && filepath.Base(words[0]) == args[1] {
				found = append(found, p.Command)
			}
		}
		return len(found) == want
	}) {
		ts.Fatalf("there are %d processes %s, want %d: %q", len(found), args[1], want, found)
	}
}
