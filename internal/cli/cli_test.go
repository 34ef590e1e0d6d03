package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/process"
)

func TestMain(m *testing.M) {
	if process.IsShepherd(os.Args) {
		os.Exit(process.ShepherdMain())
	}
	// else each shepherd sleeps for a second at its end under -race
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
	testscript.Main(m, map[string]func(){
		"probity": func() {
			os.Exit(Main(context.Background(), Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}, os.Args[1:]))
		},
		"kubectl-probity": func() {
			os.Exit(PluginMain(context.Background(), Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}, os.Args[1:]))
		},
		"kubectl_complete-probity": func() {
			os.Exit(PluginCompletionMain(context.Background(), Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}, os.Args[1:]))
		},
		"greet":       greet,
		"get":         get,
		"serverapply": serverApply,
		"browse":      browse,
	})
}

// greet is a program for Pods of scripts: it serves HTTP at $PORT of every address.
func greet() {
	err := http.ListenAndServe(":"+os.Getenv("PORT"), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s greets %s\n", os.Getenv("HOSTNAME"), r.URL.Path)
	}))
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// get is a client for scripts: it prints what a URL answers.
func get() {
	response, err := http.Get(os.Args[1])
	if err == nil {
		_, err = io.Copy(os.Stdout, response.Body)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serverApply is kubectl apply --server-side --force-conflicts --field-manager=probity -f - for
// scripts.
func serverApply() {
	err := func() error {
		cluster, err := kube.Connect(kube.Config{})
		if err != nil {
			return err
		}
		defer cluster.Close()
		resources, err := cluster.Discover(context.Background())
		if err != nil {
			return err
		}
		text, err := io.ReadAll(os.Stdin)
		if err != nil {
			return err
		}
		for document := range strings.SplitSeq(string(text), "---\n") {
			object := &unstructured.Unstructured{}
			if err := yaml.Unmarshal([]byte(document), &object.Object); err != nil {
				return err
			}
			if object.Object == nil {
				continue // comments
			}
			kind, _ := resources.Kind(object.GroupVersionKind())
			at := kube.Ref{Kind: kind, Namespace: object.GetNamespace(), Name: object.GetName()}
			if _, err := cluster.Apply(context.Background(), at, []byte(document), kube.ApplyOptions{Manager: "probity", Force: true}); err != nil {
				return err
			}
			fmt.Println(at, "applied")
		}
		return nil
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// TestScripts runs the scripts in testdata/script, which read like a manual. $SERVER is a web
// server: /ok answers 200, /moved 302 to another host, others 500; $CLOSED is a port on which
// nobody listens.
func TestScripts(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/ok":
		case "/moved":
			w.Header().Set("Location", "http://elsewhere.invalid/")
			w.WriteHeader(http.StatusFound)
		default:
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	t.Cleanup(server.Close)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("SERVER", server.URL)
			env.Setenv("SERVERPORT", server.URL[strings.LastIndex(server.URL, ":")+1:])
			env.Setenv("HOME", env.WorkDir)
			env.Defer(func() { stopRuns(t, env) })
			return nil
		},
		Condition: func(name string) (bool, error) {
			if name != "namespaces" {
				return false, fmt.Errorf("there is no condition %s", name)
			}
			return namespaces()
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

// stopRuns stops what a script that has failed has left running.
func stopRuns(t *testing.T, env *testscript.Env) {
	if _, err := os.Stat(filepath.Join(env.WorkDir, ".local", "state", "probity")); err != nil {
		return // it has started none
	}
	programs, _, _ := strings.Cut(env.Getenv("PATH"), string(os.PathListSeparator))
	cmd := exec.Command(filepath.Join(programs, "probity"), "stop", "--all")
	cmd.Env = env.Vars
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("cannot stop what is left: %v\n%s", err, out)
	}
}

// namespaces reports whether this machine lets Pods have hosts files of their own.
func namespaces() (bool, error) {
	s, err := process.NewShepherd(process.ShepherdOptions{})
	if err != nil {
		return false, err
	}
	defer s.Close()
	return s.TryNamespace(process.Namespace{Key: "try"}) == nil, nil
}
