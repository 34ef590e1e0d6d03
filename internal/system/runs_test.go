package system

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/kube"
)

// TestChooseRun: which run somebody means, by a name or by the folder that they are in.
func TestChooseRun(t *testing.T) {
	home := folder(t)
	for _, dir := range []string{"shop/deploy", "store", "elsewhere"} {
		if err := os.MkdirAll(filepath.Join(home, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	run := func(instance string, files ...string) Run {
		r := Run{StateDir: filepath.Join("/state", instance)}
		for _, file := range files {
			r.Manifests = append(r.Manifests, filepath.Join(home, file))
		}
		return r
	}
	app, db, all, stdin := run("app-1", "shop/app.yaml"), run("app-2", "shop/deploy/db.yaml"), run("deploy-3", "store"), run("none-4")
	tests := map[string]struct {
		runs      []Run
		instance  string
		folder    string
		want      string // the instance, or a part of the error
		elsewhere bool
		fails     bool
	}{
		"none":                       {folder: "shop", want: "no run is there: start one", fails: true},
		"a file of the folder":       {runs: []Run{app, db, all}, folder: "shop", want: "app-1"},
		"the folder itself":          {runs: []Run{app, db, all}, folder: "store", want: "deploy-3"},
		"a file below it":            {runs: []Run{db, all}, folder: "shop", want: "app-2"},
		"files of two":               {runs: []Run{app, db}, folder: ".", want: "2 runs were started with files of this folder", fails: true},
		"the only one":               {runs: []Run{app}, folder: "elsewhere", want: "app-1", elsewhere: true},
		"the only one, without file": {runs: []Run{stdin}, folder: "shop", want: "none-4", elsewhere: true},
		"two of other folders":       {runs: []Run{app, all}, folder: "elsewhere", want: "and there are several: say which with --instance; there are:\n  app-1  ", fails: true},
		"by name":                    {runs: []Run{app, all}, instance: "deploy-3", folder: "shop", want: "deploy-3"},
		"by the beginning":           {runs: []Run{app, all}, instance: "dep", folder: "shop", want: "deploy-3"},
		"by two beginnings":          {runs: []Run{app, db}, instance: "app", folder: "shop", want: "2 instances begin with app", fails: true},
		"by a wrong name":            {runs: []Run{app}, instance: "x", folder: "shop", want: "no instance x runs: say which", fails: true},
		"by name where none is":      {instance: "x", folder: "shop", want: "no instance x runs, nor any other", fails: true},
		"two of one name":            {runs: []Run{app, {StateDir: "/other/app-1"}}, instance: "app-1", want: "2 instances are called app-1: say which with --state-dir; there are:\n  /state/app-1  ", fails: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, elsewhere, err := ChooseRun(test.runs, test.instance, filepath.Join(home, test.folder))
			if test.fails {
				if _, ok := errors.AsType[*RunsError](err); !ok || !strings.Contains(err.Error(), test.want) {
					t.Errorf("error %v, want %q", err, test.want)
				}
				return
			}
			if err != nil || got.Instance() != test.want || elsewhere != test.elsewhere {
				t.Errorf("chose %q, elsewhere %v, %v; want %q", got.Instance(), elsewhere, err, test.want)
			}
		})
	}
}

// TestRuns: a run that answers is found, also if its state folder lies elsewhere, and can be asked;
// one that has ended is none.
func TestRuns(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", folder(t))
	dir := folder(t)
	s, err := New(Options{StateDir: dir, Listed: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.AwaitAPI()
	runs, err := Runs(t.Context())
	if err != nil || len(runs) != 1 || runs[0].StateDir != dir || runs[0].PID != os.Getpid() || runs[0].Started.IsZero() {
		t.Errorf("runs %+v, %v, want that of %s", runs, err, dir)
	}
	client, err := Connect(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var namespaces corev1.NamespaceList
	if err := client.List(t.Context(), kube.Namespaces, "", metav1.ListOptions{}, &namespaces); err != nil || len(namespaces.Items) == 0 {
		t.Errorf("it answers %+v, %v", namespaces, err)
	}
	if !isHeld(dir) {
		t.Error("nobody holds its state folder")
	}
	s.Stop()
	if err := s.Wait(); err != nil {
		t.Error(err)
	}
	if isHeld(dir) {
		t.Error("its state folder is held when it has ended")
	}
	if runs, err := Runs(t.Context()); err != nil || len(runs) != 0 {
		t.Errorf("runs %+v, %v, want none", runs, err)
	}
	if _, err := os.Stat(filepath.Join(os.Getenv("XDG_STATE_HOME"), "probity")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it has left a folder: %v", err)
	}
}
