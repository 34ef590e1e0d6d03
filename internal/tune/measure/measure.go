package measure

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/formats"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/tune"
)

// Options of a measurement.
type Options struct {
	// Manifests are files or folders of them.
	Manifests []string
	// Commands are the programs that stand for images, as for system.Options.
	Commands map[string]string
	// Env are values that documents of other formats refer to.
	Env map[string]string
	// StateDir is a folder for the run, which no other one uses.
	StateDir string
	// For is how long answers are measured, a quarter of it idle, two minutes at most. Default
	// [DefaultFor].
	For time.Duration
	// Requests are the load. Default: GET /.
	Requests []Request
	// Version of Probity, for the series.
	Version string
	// Notice gets what a person should know, a line at a time. It must not wait for anybody.
	Notice func(line string)
}

// The length of a measurement.
const (
	DefaultFor = 20 * time.Minute
	MaxFor     = 24 * time.Hour
	mostIdle   = 2 * time.Minute
)

// subject is a workload that is measured.
type subject struct {
	object    manifest.Object
	name      string // of NameOf
	measured  []*tune.Container
	endpoints map[*tune.Container][]*endpoint
	pod       *corev1.Pod // that runs; nil before the first
	after     []manifest.After
	completes bool // others come after it has succeeded
}

// measurement is one in the making.
type measurement struct {
	Options
	lab      *lab
	subjects []*subject
	series   *tune.Series
}

// Measure runs the manifests and measures their containers. When the context is done it ends at
// once with the context's error, and the series has what was measured until then. Nothing is left
// running.
func Measure(ctx context.Context, o Options) (series *tune.Series, err error) {
	o.For = cmp.Or(o.For, DefaultFor)
	if len(o.Requests) == 0 {
		o.Requests = []Request{{Method: "GET", Path: "/"}}
	}
	set, err := manifest.Load(manifest.Options{Formats: formats.All(formats.Options{Run: true, Env: o.Env})}, o.Manifests...)
	if err != nil {
		return nil, err
	}
	m := &measurement{Options: o, series: &tune.Series{
		Schema: tune.Schema, Host: fmt.Sprintf("%s/%s, %d CPUs", runtime.GOOS, runtime.GOARCH, runtime.NumCPU()), Version: o.Version, Measured: time.Now().UTC().Truncate(time.Second),
	}}
	if m.series.Manifest, err = hash(set); err != nil {
		return nil, err
	}
	if err := m.findSubjects(set); err != nil {
		return nil, err
	}
	if m.lab, err = newLab(ctx, o, set); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, m.lab.close()) }()
	if err = m.starts(ctx); err == nil {
		err = m.answers(ctx)
	}
	if err != nil && ctx.Err() == nil {
		return nil, err
	}
	m.collect()
	return m.series, err
}

// collect puts into the series what was measured.
func (m *measurement) collect() {
	for _, s := range m.subjects {
		for _, c := range s.measured {
			if len(c.Starts)+len(c.Endpoints) > 0 {
				m.series.Containers = append(m.series.Containers, *c)
			}
		}
	}
}

// hash is the digest of the files in which the objects are.
func hash(set *manifest.Set) (string, error) {
	digest := sha256.New()
	seen := map[string]bool{}
	for _, o := range set.Objects {
		if file := o.Position.File; !seen[file] {
			seen[file] = true
			data, err := os.ReadFile(file)
			if err != nil {
				return "", fmt.Errorf("cannot read the manifest again: %w", err)
			}
			digest.Write(data) // never fails
		}
	}
	return hex.EncodeToString(digest.Sum(nil)), nil
}

// findSubjects are the workloads whose containers have probes, and those that the others may need.
func (m *measurement) findSubjects(set *manifest.Set) error {
	count := 0
	for _, object := range set.Objects {
		pod, err := podOf(object, 0)
		if err != nil {
			return err
		}
		if pod == nil {
			continue
		}
		s := &subject{object: object, name: NameOf(object), endpoints: map[*tune.Container][]*endpoint{}}
		if after := pod.Annotations[manifest.AnnotationAfter]; after != "" {
			if s.after, err = manifest.ParseAfter(after); err != nil {
				return fmt.Errorf("cannot read %s of %s: it %w", manifest.AnnotationAfter, s.name, err)
			}
		}
		_, spec, _, _ := object.Template()
		for _, container := range serving(spec) {
			list := endpointsOf(container)
			if len(list) == 0 {
				continue
			}
			count++
			c := &tune.Container{Workload: s.name, Name: container.Name}
			s.measured = append(s.measured, c)
			s.endpoints[c] = list
		}
		m.subjects = append(m.subjects, s)
	}
	linkCompletions(m.subjects)
	if count == 0 {
		return fmt.Errorf("cannot measure %s: no container of a Pod, Deployment, ReplicaSet or StatefulSet in it has a probe", strings.Join(m.Manifests, " "))
	}
	return nil
}

// NameOf is how a workload is called in a series: "deployment/web", with the namespace in front of
// it if that is not default.
func NameOf(object manifest.Object) string {
	ref := object.Ref()
	name := strings.ToLower(ref.Kind) + "/" + ref.Name
	if ref.Namespace != "" && ref.Namespace != metav1.NamespaceDefault {
		name = ref.Namespace + "/" + name
	}
	return name
}

// skip notes what was not measured.
func (m *measurement) skip(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	m.series.Skipped = append(m.series.Skipped, text)
	m.say("not measured: %s", text)
}

func (m *measurement) say(format string, args ...any) {
	if m.Notice != nil {
		m.Notice(fmt.Sprintf(format, args...))
	}
}

// answers measures all endpoints, first idle and then under load.
func (m *measurement) answers(ctx context.Context) error {
	idle := min(m.For/4, mostIdle)
	m.say("answers, idle: %v", idle)
	if err := m.window(ctx, idle, "", nil); err != nil {
		return err
	}
	addresses := m.addresses()
	var load []string
	for _, r := range m.Requests {
		load = append(load, r.String())
	}
	text := fmt.Sprintf("%d/s %s", time.Second/loadInterval, strings.Join(load, ", "))
	if len(addresses) == 0 {
		m.skip("answers under load: no Service of HTTP is in front")
		text = ""
	}
	m.say("answers, %s: %v", cmp.Or(text, "idle"), m.For-idle)
	return m.window(ctx, m.For-idle, text, addresses)
}

// addresses are those of the Services of HTTP.
func (m *measurement) addresses() (list []string) {
	for _, port := range m.lab.system.Proxy().State().Ports {
		if strings.EqualFold(port.Protocol, "http") && port.Address != "" && len(port.Endpoints) > 0 {
			list = append(list, port.Address)
		}
	}
	return list
}

// window measures all endpoints at the same time. If the context is done before, what was measured
// until then is kept.
func (m *measurement) window(ctx context.Context, length time.Duration, load string, addresses []string) error {
	loading, stop := context.WithCancel(ctx)
	defer stop()
	var generator, samplers sync.WaitGroup
	if len(addresses) > 0 {
		generator.Go(func() { generate(loading, addresses, m.Requests) })
	}
	var mu sync.Mutex // guards what is measured
	for _, s := range m.subjects {
		for c, endpoints := range s.endpoints {
			for _, e := range endpoints {
				prober := m.lab.prober(e, s.pod)
				samplers.Go(func() {
					samples := sample(ctx, prober, e.interval(), length)
					seconds := length.Seconds()
					if ctx.Err() != nil {
						if seconds = lasted(samples); seconds < leastKept.Seconds() {
							return
						}
					}
					w := tune.NewWindow(load, seconds, e.interval().Seconds(), samples)
					mu.Lock()
					defer mu.Unlock()
					add(c, e, w)
				})
			}
		}
	}
	samplers.Wait()
	stop()
	generator.Wait()
	return context.Cause(ctx)
}

// leastKept is the shortest part of a window that is kept if it was stopped.
const leastKept = time.Second

// lasted is until when it is known what became of samples: those that still waited for an answer
// are not among them.
func lasted(samples []tune.Sample) (seconds float64) {
	for _, s := range samples {
		seconds = max(seconds, s.Sent)
	}
	return seconds
}

// add keeps a window of an endpoint.
func add(c *tune.Container, e *endpoint, w tune.Window) {
	for i := range c.Endpoints {
		if c.Endpoints[i].Probes[0] == e.probes[0] {
			c.Endpoints[i].Windows = append(c.Endpoints[i].Windows, w)
			return
		}
	}
	c.Endpoints = append(c.Endpoints, tune.Endpoint{Probes: e.probes, Request: e.request, Windows: []tune.Window{w}})
}
