//go:build linux

package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/probity-run/probity/test/differential/cluster"
	"github.com/probity-run/probity/test/differential/stage"
	"github.com/probity-run/probity/test/differential/trace"
)

// inside is the first argument of the program in its own namespaces.
const inside = "inside"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "rollouts:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] == inside {
		return play(ctx, args[1:])
	}
	flags := flag.NewFlagSet("rollouts", flag.ContinueOnError)
	root := flags.String("root", ".", "folder of the repository")
	out := flags.String("out", "internal/rollout/testdata/kubelet", "folder for the recordings")
	length := flags.Duration("for", 100*time.Second, "how long each rollout is recorded")
	parallel := flags.Int("parallel", 5, "rollouts at a time")
	if err := flags.Parse(args); err != nil {
		return err
	}
	tools, err := cluster.Prepare(ctx, *root, slog.Default())
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "probity-cluster")
	if err != nil {
		return err
	}
	code, err := cluster.RunInNamespaces(ctx, append([]string{inside, dir, tools.Kubernetes, tools.Player, *out, length.String(), strconv.Itoa(*parallel)}, flags.Args()...)...)
	if err = errors.Join(err, os.Remove(dir)); err == nil && code != 0 {
		err = fmt.Errorf("cannot record: the part in the namespaces ended with code %d", code)
	}
	return err
}

// play is the part in the namespaces: the cluster, and the rollouts on it.
func play(ctx context.Context, args []string) error {
	dir, tools, out := args[0], cluster.Tools{Kubernetes: args[1], Player: args[2]}, args[3]
	length, err := time.ParseDuration(args[4])
	parallel, numberErr := strconv.Atoi(args[5])
	if err = errors.Join(err, numberErr, cluster.PrepareNamespaces(ctx, dir)); err != nil {
		return err
	}
	all, names := cases(), args[6:]
	if len(names) == 0 {
		names = slices.Sorted(maps.Keys(all))
	}
	c, err := cluster.Options{AllControllers: true, LongBackOff: true}.Start(ctx, dir, tools)
	if err != nil {
		return err
	}
	var mu sync.Mutex // guards err
	var playing sync.WaitGroup
	places := make(chan struct{}, parallel)
	for _, name := range names {
		places <- struct{}{}
		playing.Go(func() {
			defer func() { <-places }()
			failure := record(ctx, c, name, all[name], filepath.Join(out, name+".json.gz"), length)
			slog.Info("Recorded", "rollout", name, "error", failure)
			mu.Lock()
			defer mu.Unlock()
			err = errors.Join(err, failure)
		})
	}
	playing.Wait()
	return errors.Join(err, c.Stop())
}

// observation is a version of an object and when it was seen, in milliseconds since the Deployment
// was applied.
type observation struct {
	At     int64           `json:"at"`
	Type   string          `json:"type"`
	Kind   string          `json:"kind"`
	Object json.RawMessage `json:"object"`
}

// record applies a Deployment in a namespace of its own and keeps what is to be seen of it.
func record(ctx context.Context, c *cluster.Cluster, name, spec, path string, length time.Duration) error {
	var object stage.Object
	if err := yaml.UnmarshalStrict([]byte(manifest(spec, cluster.Image)), &object.Object); err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(ctx, length)
	defer stop()
	if err := c.Apply(ctx, name, nil); err != nil { // the namespace
		return err
	}
	var mu sync.Mutex // guards seen
	var seen []trace.Observation
	watched := make(chan error, 1)
	go func() {
		watched <- c.Watch(ctx, name, func(o trace.Observation) {
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, o)
		})
	}()
	began := time.Now()
	if err := c.Apply(ctx, name, []stage.Object{object}); err != nil {
		return err
	}
	if err := <-watched; err != nil && ctx.Err() == nil {
		return err
	}
	if err := write(path, began, seen); err != nil {
		return err
	}
	return c.Clear(context.WithoutCancel(ctx), name)
}

// write keeps observations, one a line, without what nobody reads.
func write(path string, began time.Time, seen []trace.Observation) error {
	var text bytes.Buffer
	packed := gzip.NewWriter(&text)
	head, err := json.Marshal(map[string]time.Time{"began": began.UTC()})
	if err != nil {
		return err
	}
	fmt.Fprintf(packed, "%s\n", head)
	for _, o := range seen {
		if meta, ok := o.Object.(metav1.Object); ok {
			meta.SetManagedFields(nil)
		}
		object, err := json.Marshal(o.Object)
		if err != nil {
			return err
		}
		line, err := json.Marshal(observation{o.At.Sub(began).Milliseconds(), string(o.Type), fmt.Sprintf("%T", o.Object), object})
		if err != nil {
			return err
		}
		fmt.Fprintf(packed, "%s\n", line)
	}
	if err := errors.Join(packed.Close(), os.MkdirAll(filepath.Dir(path), 0o755)); err != nil {
		return err
	}
	return os.WriteFile(path, text.Bytes(), 0o644)
}
