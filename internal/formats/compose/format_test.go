package compose_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/probity-run/probity/internal/formats"
	"github.com/probity-run/probity/internal/formats/compose"
	"github.com/probity-run/probity/internal/manifest"
)

// lookup is the environment of the corpus.
func lookup(name string) (string, bool) {
	value, ok := map[string]string{"TAG": "v1", "EMPTY": "", "FROM_ENV": "from the environment", "REPLICAS": "3"}[name]
	return value, ok
}

func format() compose.Format {
	return compose.Format{Options: compose.Options{Lookup: lookup, ReadFile: os.ReadFile}}
}

// load reads a text as a manifest.
func load(text string) (*manifest.Set, error) {
	return manifest.Load(manifest.Options{Stdin: strings.NewReader(text), Formats: formats.All(formats.Options{})}, "-")
}

// TestCorpus: each file becomes objects that a cluster takes, each with a place in the file.
func TestCorpus(t *testing.T) {
	files, err := filepath.Glob("testdata/corpus/*.yaml")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			set, err := manifest.Load(manifest.Options{Formats: []manifest.Format{format()}}, file)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range set.Objects {
				if o.Position.Line == 0 || o.Original("").Format != "Compose" {
					t.Errorf("%v is at %v, of format %q", o.Ref(), o.Position, o.Original("").Format)
				}
			}
		})
	}
}

func TestErrors(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"a field of Kubernetes":       {"web: {image: a, livenessProbe: {}}", "1:28: service web: livenessProbe: unknown field, Compose calls it healthcheck"},
		"a misspelt field":            {"web: {image: a, enviroment: {}}", "1:28: service web: enviroment: unknown field, did you mean environment?"},
		"a field one level too high":  {"web: {image: a, interval: 3s}", "1:28: service web: interval: unknown field, it belongs in services.web.healthcheck"},
		"seconds without a unit":      {"web: {image: a, healthcheck: {test: b, interval: 30}}", "1:61: service web: healthcheck.interval: the time 30 has no unit: write 30s for seconds"},
		"a field of a probe":          {"web: {image: a, healthcheck: {test: b, periodSeconds: 3}}", "1:51: service web: healthcheck.periodSeconds: unknown field, Compose calls it interval"},
		"half a century":              {"web: {image: a, healthcheck: {test: b, interval: 8760h, retries: 51}}", "1:77: service web: healthcheck.retries: 51 failures take longer than 50 years, with that interval: a probe does not count so far"},
		"a list without CMD":          {"web: {image: a, healthcheck: {test: [curl, x]}}", `1:49: service web: healthcheck.test: a list begins with CMD, CMD-SHELL or NONE, not with "curl": write [CMD, curl, …]`},
		"a negative number":           {"web: {image: a, healthcheck: {test: b, retries: -1}}", `1:60: service web: healthcheck.retries: must be a whole number that is not negative, this is "-1"`},
		"an unknown condition":        {"web: {image: a, depends_on: {db: {condition: healthy}}}, db: {image: d}", `1:57: service web: depends_on.db.condition: must be service_started, service_healthy or service_completed_successfully, this is "healthy"`},
		"a service that is not there": {"web: {image: a, depends_on: [dv]}, db: {image: d}", "1:41: service web: depends_on: there is no service dv, did you mean db?"},
		"a circle":                    {"a: {image: a, depends_on: [b]}, b: {image: b, depends_on: [a]}", "1:12: service a: depends_on: services wait for each other in a circle: a → b → a"},
		"nothing to run":              {"web: {healthcheck: {test: a}}", "1:12: service web: must have image or build"},
		"a port that is none":         {"web: {image: a, ports: [\"80:x\"]}", `1:36: service web: ports[0]: "80:x" is no port: expected a number from 1 to 65535, got "x"`},
		"an open brace":               {"web: {image: \"${A\"}", "1:25: service web: image: the brace of ${A is not closed; a dollar sign is written $$"},
		"a required variable":         {"web: {image: \"${NOT_SET_ANYWHERE:?set it}\"}", "1:25: service web: image: the variable NOT_SET_ANYWHERE has no value: set it"},
		"a restart policy":            {"web: {image: a, restart: allways}", `1:37: service web: restart: must be "no", always, on-failure, on-failure:3 or unless-stopped, this is "allways"`},
		"names that become one":       {"a_b: {image: a}, a-b: {image: b}", "1:29: service a-b: would be called a-b by Kubernetes, and so would a_b: rename one"},
		"an env file that is missing": {"web: {image: a, env_file: no.env}", "1:38: service web: env_file: cannot read no.env: no such file or directory; write {path: no.env, required: false} if it may be missing"},
		"itself":                      {"web: {image: a, extends: web}", "1:37: service web: extends: a service that extends itself, by <stdin>:web, <stdin>:web"},
		"a file elsewhere":            {"web: {image: a, extends: {file: \"https://a/b.yaml\", service: x}}", "1:44: service web: extends.file: files of other machines are not fetched: copy it beside this file, and name the copy"},
		"two numbers of replicas":     {"web: {image: a, scale: 2, deploy: {replicas: 3}}", "1:57: service web: deploy.replicas: services.web.scale says 2 already, and Docker takes no two: leave one out"},
		"two limits":                  {"web: {image: a, mem_limit: 1g, deploy: {resources: {limits: {memory: 50M}}}}", "1:81: service web: deploy.resources.limits.memory: services.web.mem_limit says 1Gi already, and Docker takes no two: leave one out"},
		"a signal that is none":       {"web: {image: a, stop_signal: SIGFOO}", `1:41: service web: stop_signal: must be a signal of Linux such as SIGTERM, this is "SIGFOO", did you mean SIGFPE?`},
		"a misspelt signal":           {"web: {image: a, stop_signal: usr11}", `1:41: service web: stop_signal: must be a signal of Linux such as SIGTERM, this is "usr11", did you mean SIGUSR1?`},
		"no signal has that number":   {"web: {image: a, stop_signal: 33}", `1:41: service web: stop_signal: must be a signal of Linux such as SIGTERM, this is "33"`},
		"an address that is none":     {"web: {image: a, ports: [\"hostname:80:80\"]}", `1:36: service web: ports[0]: "hostname:80:80" is no port: expected [[IP:]PUBLISHED:]TARGET, and "hostname" is no IP; one of version 6 stands in brackets`},
		"a port too many":             {"web: {image: a, ports: [\"80:80:80:80\"]}", `1:36: service web: ports[0]: "80:80:80:80" is no port: expected [[IP:]PUBLISHED:]TARGET, and "80:80" is no IP; one of version 6 stands in brackets`},
		"a host_ip that is none":      {"web: {image: a, ports: [{target: 80, host_ip: here}]}", `1:36: service web: ports[0]: host_ip must be an IP, this is "here"`},
		"a time that is too short":    {"web: {image: a, healthcheck: {test: b, interval: 100us}}", `1:61: service web: healthcheck.interval: "100us" is shorter than the 1ms that Docker takes`},
		"a start that is too short":   {"web: {image: a, healthcheck: {test: b, start_period: 1ns}}", `1:65: service web: healthcheck.start_period: "1ns" is shorter than the 1ms that Docker takes`},
		"a name with a dot":           {"web.app: {image: a, healthcheck: {period: 3s}}", "1:46: service web.app: healthcheck.period: unknown field, Compose calls it interval"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load("services: {" + c.text + "}\n")
			if err == nil || !slices.Contains(strings.Split(err.Error(), "\n"), "<stdin>:"+c.want) {
				t.Errorf("error is\n%v\nwant\n<stdin>:%s", err, c.want)
			}
		})
	}
}

// TestEveryFieldCounts: what has no effect is named.
func TestEveryFieldCounts(t *testing.T) {
	for _, name := range []string{"volumes", "networks", "privileged", "container_name", "logging", "secrets", "configs", "cap_add", "ulimits", "init", "tty", "devices", "post_start"} {
		set, err := load("services: {web: {image: a, " + name + ": true}}\n")
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(set.NotApplied, func(n manifest.Note) bool { return n.Field == name }) {
			t.Errorf("nothing is said of %s: %v", name, set.NotApplied)
		}
	}
}

// TestRecognizes: other tools have services too.
func TestRecognizes(t *testing.T) {
	for text, want := range map[string]bool{
		"services: {web: {image: a}}":                               true,
		"services: {web: {build: .}}\nvolumes: {}":                  true,
		"x-a: &a {image: b}\nservices: {web: *a}":                   true,
		"include: [a.yaml]":                                         true,
		"include: [a.yaml]\nstages: [test]":                         false,
		"services: {}":                                              true,
		"services: {}\nreplicaCount: 1":                             false,
		"services: {web: , db: }":                                   true,
		"services: {web: 80}":                                       false,
		"services: [web, db]":                                       true,
		"services: [{web: {image: a}}]":                             true,
		"services: [{web: {url: a}}]":                               false,
		"services: [docker:dind]\nscript: x":                        false,
		"services: {_defaults: {autowire: true}, App: {tags: [a]}}": false,
		"services: {web: {port: 80}}\nreplicaCount: 1":              false,
	} {
		if got := format().Recognizes(nodes(t, text)); got != want {
			t.Errorf("%q is recognized: %v, want %v", text, got, want)
		}
	}
}

// TestNothingInIt: a file that begins as one of Compose is told what it needs, unless it stands in
// a folder among others.
func TestNothingInIt(t *testing.T) {
	const noList = "services are a mapping by their names, and not a list: write services: {web: {image: …}}"
	const needed = "there is no service: a Compose file needs one, as in services: {web: {image: …}}"
	for text, want := range map[string]string{
		"services:\n":                      needed,
		"services: {}\n":                   needed,
		"services: []\n":                   needed,
		"services:\n  web:\n":              "must be a mapping with image or build, this is nothing",
		"services:\n  \"a b\": {image: x}": `the name of a service has letters, digits, dots, dashes and underscores, this is "a b"`,
		"services: [web, db]\n":            noList,
		"services: [{web: {image: a}}]\n":  noList,
		"services: [{image: a}]\n":         noList,
	} {
		for file, isMeant := range map[string]bool{"<stdin>": true, "d/compose.yaml": strings.Contains(text, "image"), "d/named.yaml": true, "d/values.yaml": strings.Contains(text, "image")} {
			f := compose.Format{Options: compose.Options{Named: []string{"d/named.yaml"}}}
			root := nodes(t, text)
			if !f.Recognizes(root) {
				t.Errorf("%q is not recognized", text)
			}
			got := f.Convert(file, root)
			switch {
			case !isMeant && (len(got.Errors) > 0 || len(got.NotApplied) != 1):
				t.Errorf("%q in %s: %v, %v", text, file, got.Errors, got.NotApplied)
			case isMeant && (len(got.Errors) != 1 || got.Errors[0].Message != want):
				t.Errorf("%q in %s: %v", text, file, got.Errors)
			}
		}
	}
}

// TestNotes: what Kubernetes will do otherwise, and what a file had better say.
func TestNotes(t *testing.T) {
	set, err := load(`services:
  web:
    image: a
    restart: "no"
    healthcheck: {test: curl -f http://localhost/, interval: 1m30s, start_period: 40s}
    depends_on: [db]
  db: {image: b}
`)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, notes := range [][]manifest.Note{set.Differences, set.Warnings} {
		for _, n := range notes {
			got = append(got, strings.TrimPrefix(n.String(), "<stdin>:"))
		}
	}
	want := []string{
		"7:3: service db: cannot run here, it is an image (b): name the program that stands for it with labels: {probity.run/command.db: ./program --flag}, or with --command db=./program",
		"7:3: service db: Docker would leave it stopped once it ends, Kubernetes will start it again: a Deployment knows no other way",
		"5:18: service web: healthcheck: Docker would call it unhealthy 4m30s to 6m after it hangs, as the interval begins when a check has ended; Kubernetes will send it no requests after 3m30s to 5m",
		"5:25: service web: healthcheck.test: Docker would ask localhost inside the container, Kubernetes will ask the Pod's address: the program has to listen on all addresses, and take that as Host",
		"5:83: service web: healthcheck.start_period: Docker would call it unhealthy 3m40s after a start that never ends, and let it run; Kubernetes will kill it after 3m40s to 3m45s and start it again",
		"6:18: service web: depends_on: Docker would start it after db; on a cluster nothing orders the starts of Pods, so let it wait and try again, or restart. probity run keeps the order",
		"2:3: service web: cannot run here, it is an image (a): name the program that stands for it with labels: {probity.run/command.web: ./program --flag}, or with --command web=./program",
		`4:14: service web: restart: Docker would leave it stopped once it ends, Kubernetes will start it again: a Deployment knows no other way`,
		"6:18: service web: depends_on: db says no port, so nobody reaches it by its name: write expose: [PORT] there",
		"7:3: service db: no healthcheck: what it has in its image, nobody sees here, and Kubernetes will send requests as soon as the program was started; write one",
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}

// TestPlaces: a field is named where it is written.
func TestPlaces(t *testing.T) {
	set, err := load("services:\n  web:\n    image: a\n    user: node\n    hostname: shop\n    links: ['db:data']\n    network_mode: service:db\n  db: {image: b}\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<stdin>:4:11: service web: user", "<stdin>:5:15: service web: hostname", "<stdin>:6:13: service web: links: Docker would let it reach db as data",
		"<stdin>:7:19: service web: network_mode: to share the network of db", "<stdin>:6:13: service web: depends_on: Docker would start it after db"} {
		if !slices.ContainsFunc(slices.Concat(set.NotApplied, set.Differences), func(n manifest.Note) bool { return strings.HasPrefix(n.String(), want) }) {
			t.Errorf("nothing is said at %s: %v %v", want, set.NotApplied, set.Differences)
		}
	}
}

// FuzzFormat: whatever the text, it is refused, or it becomes objects.
func FuzzFormat(f *testing.F) {
	files, err := filepath.Glob("testdata/corpus/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		own := compose.Format{Options: compose.Options{Lookup: lookup}}
		set, err := manifest.Load(manifest.Options{Stdin: strings.NewReader(text), Formats: []manifest.Format{own}}, "-")
		if err == nil && len(set.Objects)+len(set.Unknown)+len(set.Converted) == 0 && len(set.NotApplied) == 0 {
			return // an empty project
		}
		for _, o := range set.Objects {
			if o.Position.Line <= 0 {
				t.Errorf("%v has no place", o.Ref())
			}
		}
	})
}

// TestPlacesInJoinedLists: an item of a list that is joined of two has the number that it has in
// the file.
func TestPlacesInJoinedLists(t *testing.T) {
	const base = "services:\n  base:\n    image: a\n    env_file: [{path: none, required: false}]\n    ports: ['80']\n    expose: ['90']\n  web:\n    extends: base\n    "
	for field, text := range map[string]string{
		"env_file[1].format": "env_file: [{path: none, required: false}, {path: none, required: false, format: raw}]",
		"env_file[0]":        "env_file: [[a]]",
		"env_file":           "env_file: {path: 1, required: maybe}",
		"ports[0]":           "ports: [x]",
		"ports[1].mode":      "ports: ['81', {target: 82, mode: host}]",
		"expose[0]":          "expose: [x]",
		"image":              "<<: [{image: []}]",
	} {
		root := nodes(t, base+text+"\n")
		converted := format().Convert("compose.yaml", root)
		found := slices.ContainsFunc(slices.Concat(converted.Errors, converted.NotApplied), func(r manifest.Remark) bool {
			return r.Object.Name == "web" && r.Field == field
		})
		if !found {
			t.Errorf("%s: nothing is said of %s: %v, %v", text, field, converted.Errors, converted.NotApplied)
		}
	}
}
