package probitytest

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/system"
)

// Options of a run. The zero value runs the manifests as they are.
type Options struct {
	// Commands are the programs that stand for images, by the containers' names or by workload and
	// container, as in "deployment/web:server": a command line that is split like a shell splits
	// words. Default: the commands of the manifests and their annotations.
	Commands map[string]string
	// Packages are Go packages, as go build takes them, whose programs stand for images; by
	// containers as in Commands. They are built first. Default: none.
	Packages map[string]string
	// Environ is the environment below that of the manifests, "NAME=value". Default: that of the
	// test.
	Environ []string
	// Only are the workloads to run, by name or as in "deployment/web", with the Services in front
	// of them. Default: all.
	Only []string
	// Timeout bounds each wait. Default one minute, and never beyond the deadline of the test.
	Timeout time.Duration
	// MaxRestartPeriod caps the back-off of containers that fail again and again; at least one
	// second. Default five minutes, as the kubelet's.
	MaxRestartPeriod time.Duration
	// NoWait makes Run return when everything was started. Default: when all is ready.
	NoWait bool
}

// Run runs manifests (files or folders of them) until the end of the test, and returns when all is
// ready: every workload complete, every Pod Ready, every Service served. It is [Options.Run] with
// the zero Options.
func Run(t testing.TB, manifests ...string) *System {
	t.Helper()
	return Options{}.Run(t, manifests...)
}

// Run runs manifests (files or folders of them) until the end of the test. What cannot be run, or
// does not become ready, ends the test.
func (o Options) Run(t testing.TB, manifests ...string) *System {
	t.Helper()
	if err := checkMain(); err != nil {
		t.Fatal(err)
	}
	s := &System{t: t, timeout: timeoutOf(t, o.Timeout), output: &output{}, last: map[types.UID]*Injection{}}
	if err := s.start(o, manifests); err != nil {
		t.Fatal(err)
	}
	if !o.NoWait {
		s.WaitReady()
	}
	return s
}

// timeoutOf is how long a wait may take: some time is left to end the run before the deadline of
// the test.
func timeoutOf(t testing.TB, asked time.Duration) func() time.Duration {
	const toEnd = 10 * time.Second
	return func() time.Duration {
		timeout := cmp.Or(asked, time.Minute)
		if test, ok := t.(interface{ Deadline() (time.Time, bool) }); ok {
			if deadline, ok := test.Deadline(); ok {
				timeout = max(0, min(timeout, time.Until(deadline)-toEnd))
			}
		}
		return timeout
	}
}

func (s *System) start(o Options, manifests []string) error {
	commands, err := o.commands(s.t)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "probity") // t.TempDir is long, and the path of a socket is short
	if err != nil {
		return err
	}
	s.system, err = system.New(system.Options{
		Manifests: manifests, Commands: commands, Only: o.Only, Environ: o.environ(), StateDir: filepath.Join(dir, "state"),
		MaxRestartPeriod: cmp.Or(o.MaxRestartPeriod, system.MaxRestartPeriod), NoDashboard: true,
		Follow: s.output.follow, Notice: s.output.notice,
	})
	if err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	s.dir = dir
	s.t.Cleanup(s.end)
	return s.system.Start(context.Background())
}

func (o Options) environ() []string {
	if o.Environ != nil {
		return o.Environ
	}
	return os.Environ()
}

// grace is how long programs may take to end before they are killed.
const grace = 5 * time.Second

// end stops everything, and then shows what happened if the test has failed.
func (s *System) end() {
	for _, undo := range s.undo {
		_ = undo() // the replica may be gone
	}
	story := s.story() // while there is something to tell
	s.system.Stop()
	select {
	case <-s.system.Done():
	case <-time.After(grace):
		s.system.Abort()
		<-s.system.Done()
	}
	if s.t.Failed() {
		s.t.Logf("what the programs printed:\n%s%s", s.output, story)
	}
	if err := os.RemoveAll(s.dir); err != nil {
		s.t.Errorf("cannot remove what the run has left: %v", err)
	}
}
