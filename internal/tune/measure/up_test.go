package measure

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/tune"
)

// subjectsOf are subjects that are measured, written as "web" or "web after db,cache=healthy".
func subjectsOf(t *testing.T, texts ...string) (list []*subject) {
	t.Helper()
	for _, text := range texts {
		name, after, _ := strings.Cut(text, " after ")
		pod := &corev1.Pod{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}, ObjectMeta: metav1.ObjectMeta{Name: name}}
		s := &subject{object: manifest.Object{Resource: pod}, name: name, measured: []*tune.Container{{}}}
		if after != "" {
			var err error
			if s.after, err = manifest.ParseAfter(after); err != nil {
				t.Fatal(err)
			}
		}
		list = append(list, s)
	}
	linkCompletions(list)
	return list
}

// TestBringUp: workloads come up in any order of the file, and what will not is said at once.
func TestBringUp(t *testing.T) {
	ended := errors.New("has ended")
	for name, c := range map[string]struct {
		subjects []string
		ends     map[string]string // without which other one a workload ends; "never" is never there
		begun    string            // in rounds, if the order matters
		want     string            // the error; "" for none
	}{
		"needs one that stands later": {[]string{"web", "db"}, map[string]string{"web": "db"}, "", ""},
		"a chain of needs":            {[]string{"web", "api", "db"}, map[string]string{"web": "api", "api": "db"}, "", ""},
		"ends whatever is there":      {[]string{"web", "db"}, map[string]string{"web": "never"}, "", "web: has ended"},
		"each needs the other":        {[]string{"a", "b"}, map[string]string{"a": "b", "b": "a"}, "", "a: has ended\nb: has ended"},
		"after":                       {[]string{"web after migrate=completed", "migrate after db=healthy", "db"}, nil, "db migrate web", ""},
		"after what is not there":     {[]string{"web after elsewhere"}, nil, "web", ""},
		"after each other":            {[]string{"a after b", "b after a"}, nil, "", "a waits for b (probity.run/after)\nb waits for a (probity.run/after)"},
		"after one that ends":         {[]string{"web after db", "db"}, map[string]string{"db": "never"}, "", "web waits for db (probity.run/after)\ndb: has ended"},
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			there, begun := map[string]bool{}, []string{}
			err := bringUp(t.Context(), subjectsOf(t, c.subjects...), func(_ context.Context, s *subject) error {
				mu.Lock()
				defer mu.Unlock()
				begun = append(begun, s.name)
				if other := c.ends[s.name]; other != "" && !there[other] {
					return fmt.Errorf("%s: %w", s.name, ended)
				}
				there[s.name] = true
				return nil
			})
			got := ""
			if err != nil {
				got = err.Error()
			}
			if got != c.want || c.begun != "" && strings.Join(begun, " ") != c.begun {
				t.Errorf("got %q after %q, want %q", got, begun, c.want)
			}
		})
	}
}

// TestMoreTries: nothing tells when a workload without probes is there for the others.
func TestMoreTries(t *testing.T) {
	for name, c := range map[string]struct {
		measured    bool // whether db has probes
		after, want int  // at which try web finds db, and how many there are
	}{
		"db has probes":           {true, 2, 2}, // the first try brings up db
		"db has probes, in vain":  {true, 3, 2},
		"db has none":             {false, 2 + moreTries, 2 + moreTries},
		"db has none, and is not": {false, 100, 2 + moreTries},
	} {
		t.Run(name, func(t *testing.T) {
			subjects := subjectsOf(t, "web", "db")
			if !c.measured {
				subjects[1].measured = nil
			}
			tries := 0
			err := bringUp(t.Context(), subjects, func(_ context.Context, s *subject) error {
				if s.name == "db" {
					return nil
				}
				if tries++; tries < c.after {
					return errors.New("web has ended")
				}
				return nil
			})
			if tries != c.want || (err == nil) != (c.after == c.want) {
				t.Errorf("%d tries (%v), want %d", tries, err, c.want)
			}
		})
	}
}

// TestNeverStarts: nobody waits ten minutes for a program that is not on this machine.
func TestNeverStarts(t *testing.T) {
	err := bringUp(t.Context(), subjectsOf(t, "web", "db"), func(ctx context.Context, s *subject) error {
		if s.name == "db" {
			return fmt.Errorf("db: %w", errNeverStarts)
		}
		<-ctx.Done() // web waits for it
		return context.Cause(ctx)
	})
	if err == nil || err.Error() != "db: cannot be started" {
		t.Errorf("got %v, want that of db alone", err)
	}
}

// TestTrouble: a process that was known before may end, one that came later may not.
func TestTrouble(t *testing.T) {
	ended := corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 1, ContainerID: "probity://1"}}
	absent := corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "StartError", Message: "no such file", ContainerID: "probity://1"}}
	backOff := corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: "back-off"}}
	creating := corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}}
	for name, c := range map[string]struct {
		status corev1.ContainerStatus
		known  string
		want   string
	}{
		"begins":               {corev1.ContainerStatus{State: creating}, "", ""},
		"ended":                {corev1.ContainerStatus{State: ended}, "", "container web has ended with code 1: probity run shows what it printed"},
		"known":                {corev1.ContainerStatus{State: ended}, "probity://1", ""},
		"known, in back-off":   {corev1.ContainerStatus{State: backOff, LastTerminationState: ended}, "probity://1", ""},
		"ended, in back-off":   {corev1.ContainerStatus{State: backOff, LastTerminationState: ended}, "probity://0", "container web has ended with code 1: probity run shows what it printed"},
		"cannot start":         {corev1.ContainerStatus{State: absent}, "probity://1", "container web cannot be started: no such file"},
		"waits for the kernel": {corev1.ContainerStatus{State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CreateContainerError", Message: "no memory"}}}, "", "container web: CreateContainerError: no memory"},
	} {
		t.Run(name, func(t *testing.T) {
			c.status.Name = "web"
			got := ""
			if err := trouble(&corev1.Pod{Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{c.status}}}, map[string]bool{c.known: true}); err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestIsDown: a Pod is made anew if it would come back late, or never.
func TestIsDown(t *testing.T) {
	code := func(n int32) corev1.ContainerState {
		return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: n}}
	}
	running := corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
	waiting := corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{}}
	for name, c := range map[string]struct {
		phase  corev1.PodPhase
		status corev1.ContainerStatus
		want   bool
	}{
		"runs":              {corev1.PodRunning, corev1.ContainerStatus{State: running}, false},
		"runs again":        {corev1.PodRunning, corev1.ContainerStatus{State: running, LastTerminationState: code(1)}, false},
		"is created":        {corev1.PodPending, corev1.ContainerStatus{State: waiting}, false},
		"in back-off":       {corev1.PodRunning, corev1.ContainerStatus{State: waiting, LastTerminationState: code(0)}, true},
		"one has ended":     {corev1.PodRunning, corev1.ContainerStatus{State: code(1)}, true},
		"one has done":      {corev1.PodRunning, corev1.ContainerStatus{State: code(0)}, false},
		"has done its work": {corev1.PodSucceeded, corev1.ContainerStatus{State: code(0)}, false},
		"has failed":        {corev1.PodFailed, corev1.ContainerStatus{State: code(0)}, true},
	} {
		if got := isDown(&corev1.Pod{Status: corev1.PodStatus{Phase: c.phase, ContainerStatuses: []corev1.ContainerStatus{c.status}}}); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	if isDown(nil) {
		t.Error("one that is gone is down, and would be removed again")
	}
}
