package compose

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/probity-run/probity/internal/formats/compose"
)

// The files that both read: each alone, and the folders of those that belong together.
const (
	corpus = "../../internal/formats/compose/testdata/corpus"
	layers = "../../internal/formats/compose/testdata/layers"
)

// service is what both say of a service.
type service struct {
	Image, Context, Restart, StopPeriod, StopSignal, WorkingDir, Hostname, User string
	Command, Entrypoint                                                         []string
	EmptyEntrypoint                                                             bool
	Environment                                                                 map[string]string
	Ports, Expose, DependsOn, Labels                                            []string
	Replicas                                                                    string
	Update                                                                      string
	Health                                                                      string
}

// environment is that of the files in the corpus.
func environment() map[string]string {
	return map[string]string{"TAG": "v1", "EMPTY": "", "FROM_ENV": "from the environment", "REPLICAS": "3"}
}

// TestCorpus: what Probity reads is what compose-go reads.
func TestCorpus(t *testing.T) {
	files, err := filepath.Glob(corpus + "/*.yaml")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			for _, profiles := range [][]string{nil, {"debug"}} {
				if diff := cmp.Diff(theirs(t, file, profiles), ours(t, file, profiles)); diff != "" {
					t.Errorf("services (-compose-go +Probity):\n%s", diff)
				}
			}
		})
	}
}

// TestLayers: files that are put on top of each other, as by several -f, are what compose-go makes
// of them.
func TestLayers(t *testing.T) {
	folders, err := filepath.Glob(layers + "/*")
	if err != nil || len(folders) < 4 {
		t.Fatalf("%d folders, %v", len(folders), err)
	}
	for _, folder := range folders {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			files, err := filepath.Glob(folder + "/*.yaml")
			if err != nil || len(files) < 2 {
				t.Fatalf("%q, %v", files, err)
			}
			if diff := cmp.Diff(theirs(t, files[0], nil, files[1:]...), ours(t, files[0], nil, files[1:]...)); diff != "" {
				t.Errorf("services (-compose-go +Probity):\n%s", diff)
			}
		})
	}
}

func theirs(t *testing.T, file string, profiles []string, over ...string) map[string]service {
	t.Helper()
	var env []string
	for name, value := range environment() {
		env = append(env, name+"="+value)
	}
	opts, err := cli.NewProjectOptions(append([]string{file}, over...), cli.WithEnv(env), cli.WithDotEnv, cli.WithProfiles(profiles), cli.WithName("corpus"))
	if err != nil {
		t.Fatal(err)
	}
	project, err := opts.LoadProject(context.Background())
	if err != nil {
		t.Fatalf("compose-go: %v", err)
	}
	all := map[string]service{}
	for name, s := range project.Services {
		all[name] = theirService(t, s, file)
	}
	return all
}

func theirService(t *testing.T, s types.ServiceConfig, file string) service {
	t.Helper()
	out := service{
		Image: s.Image, Restart: s.Restart, StopSignal: s.StopSignal, WorkingDir: s.WorkingDir, Hostname: s.Hostname, User: s.User,
		Command: append([]string(nil), s.Command...), Entrypoint: append([]string(nil), s.Entrypoint...), EmptyEntrypoint: s.Entrypoint != nil && len(s.Entrypoint) == 0,
		Environment: map[string]string{}, Expose: theirExpose(s.Expose),
	}
	if s.Build != nil {
		out.Context = relative(t, file, s.Build.Context)
	}
	if s.StopGracePeriod != nil {
		out.StopPeriod = s.StopGracePeriod.String()
	}
	for name, value := range s.Environment {
		if value != nil {
			out.Environment[name] = *value
		}
	}
	for _, p := range s.Ports {
		published, _, _ := strings.Cut(p.Published, "-")
		out.Ports = append(out.Ports, fmt.Sprintf("%s:%d/%s", published, p.Target, p.Protocol))
	}
	for name, d := range s.DependsOn {
		out.DependsOn = append(out.DependsOn, fmt.Sprintf("%s %s %v", name, d.Condition, d.Required))
	}
	for name, value := range s.Labels {
		out.Labels = append(out.Labels, name+"="+value)
	}
	if d := s.Deploy; d != nil {
		if d.Replicas != nil {
			out.Replicas = strconv.Itoa(*d.Replicas)
		}
		if u := d.UpdateConfig; u != nil {
			out.Update = fmt.Sprintf("%d %v", *u.Parallelism, u.Order == "start-first")
		}
		if d.RestartPolicy != nil && out.Restart == "" {
			out.Restart = d.RestartPolicy.Condition
		}
	}
	if s.Scale != nil {
		out.Replicas = strconv.Itoa(*s.Scale)
	}
	out.Health = theirHealth(s.HealthCheck)
	slices.Sort(out.Ports)
	slices.Sort(out.DependsOn)
	slices.Sort(out.Labels)
	return out
}

// theirHealth is a health check with Docker's defaults, which compose-go leaves to Docker.
func theirHealth(h *types.HealthCheckConfig) string {
	if h == nil {
		return ""
	}
	test := h.Test
	if h.Disable || len(test) > 0 && test[0] == "NONE" {
		return "disabled"
	}
	timing := compose.DefaultTiming()
	for _, f := range []struct {
		from *types.Duration
		set  func(d types.Duration)
	}{
		{h.Interval, func(d types.Duration) { timing.Interval = d2(d) }}, {h.Timeout, func(d types.Duration) { timing.Timeout = d2(d) }},
		{h.StartPeriod, func(d types.Duration) { timing.StartPeriod = d2(d) }}, {h.StartInterval, func(d types.Duration) { timing.StartInterval = d2(d) }},
	} {
		if f.from != nil && *f.from != 0 {
			f.set(*f.from)
		}
	}
	if h.Retries != nil && *h.Retries != 0 {
		timing.Retries = int(*h.Retries)
	}
	return fmt.Sprintf("%q %+v", []string(test), timing)
}

func theirExpose(list types.StringOrNumberList) (expose []string) {
	for _, e := range list {
		from, to, isRange := strings.Cut(e, "-")
		if !isRange {
			to = from
		}
		first, _ := strconv.Atoi(from)
		last, _ := strconv.Atoi(to)
		for ; first <= last; first++ {
			expose = append(expose, strconv.Itoa(first))
		}
	}
	slices.Sort(expose)
	return expose
}

func ours(t *testing.T, file string, profiles []string, over ...string) map[string]service {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	env := environment()
	project, problems := compose.Read(root.Content[0], compose.Options{File: file, Profiles: profiles, ReadFile: os.ReadFile,
		Lookup: func(name string) (string, bool) { v, ok := env[name]; return v, ok }}, over...)
	for _, p := range problems {
		t.Errorf("Probity: line %d: %s: %s", p.At.Line, p.Field, p.Message)
	}
	all := map[string]service{}
	for _, s := range project.Services {
		all[s.Name] = ourService(t, s, file)
	}
	return all
}

func ourService(t *testing.T, s *compose.Service, file string) service {
	t.Helper()
	out := service{
		Image: s.Image, Restart: s.Restart, StopSignal: s.StopSignal, WorkingDir: s.WorkingDir, Hostname: s.Hostname.Text, User: s.User.Text,
		Command: words(s.Command), Entrypoint: words(s.Entrypoint), EmptyEntrypoint: s.EmptyEntrypoint, Environment: map[string]string{},
	}
	if s.Restart == "on-failure" && s.Retries > 0 {
		out.Restart += ":" + strconv.Itoa(s.Retries)
	}
	if s.Build {
		out.Context = relative(t, file, s.Context)
	}
	if s.StopAt.Line > 0 {
		out.StopPeriod = types.Duration(s.StopPeriod).String()
	}
	for _, v := range s.Environment {
		out.Environment[v.Name] = v.Value
	}
	for _, p := range s.Ports {
		published := ""
		if p.Published != 0 {
			published = strconv.Itoa(p.Published)
		}
		out.Ports = append(out.Ports, fmt.Sprintf("%s:%d/%s", published, p.Target, p.Protocol))
	}
	for _, p := range s.Expose {
		out.Expose = append(out.Expose, strconv.Itoa(p.Target))
	}
	for _, d := range s.DependsOn {
		out.DependsOn = append(out.DependsOn, fmt.Sprintf("%s %s %v", d.Service, d.Condition, d.Required))
	}
	for _, v := range slices.Concat(s.Labels, s.Annotations) {
		out.Labels = append(out.Labels, v.Name+"="+v.Value)
	}
	if s.Replicas != nil {
		out.Replicas = strconv.Itoa(*s.Replicas)
	}
	if u := s.Update; u != nil {
		out.Update = fmt.Sprintf("%d %v", u.Parallelism, u.StartFirst)
	}
	out.Health = ourHealth(s.Healthcheck)
	slices.Sort(out.Ports)
	slices.Sort(out.Expose)
	slices.Sort(out.DependsOn)
	slices.Sort(out.Labels)
	return out
}

func ourHealth(h *compose.Healthcheck) string {
	switch {
	case h == nil:
		return ""
	case h.Disabled:
		return "disabled"
	}
	test := words(h.Command)
	if h.Shell {
		test = append([]string{"CMD-SHELL"}, test...)
	} else if len(test) > 0 {
		test = append([]string{"CMD"}, test...)
	}
	return fmt.Sprintf("%q %+v", test, h.Timing)
}

func words(list []compose.Word) (all []string) {
	for _, w := range list {
		all = append(all, w.Text)
	}
	return all
}

// relative is a path as it is seen from the folder of the file.
func relative(t *testing.T, file, path string) string {
	t.Helper()
	if strings.Contains(path, ":/") {
		return path
	}
	folder, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		t.Fatal(err)
	}
	if path, err = filepath.Abs(path); err != nil {
		t.Fatal(err)
	}
	if path, err = filepath.Rel(folder, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestInterpolate: a text with variables gives the same text, and is refused by both.
func TestInterpolate(t *testing.T) {
	for _, text := range slices.Sorted(maps.Keys(texts())) {
		theirs, theirErr := substitute(text)
		got, err := compose.Interpolate(text, lookup, nil)
		if (err != nil) != (theirErr != nil) || err == nil && got != theirs {
			t.Errorf("%q: Probity %q, %v; compose-go %q, %v", text, got, err, theirs, theirErr)
		}
	}
}
