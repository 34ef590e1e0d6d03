package compose

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/probity-run/probity/internal/manifest"
)

func (d *decoder) entrypoint(v *value, path Path) {
	d.service.Entrypoint, d.service.EntrypointAt = d.commandLine(v, path), v.at
	d.service.EmptyEntrypoint = len(d.service.Entrypoint) == 0
}

// profiles are those of a service, any of which makes it active.
func (d *decoder) profiles(v *value, path Path) (names []string) {
	if profiles := v.get("profiles"); profiles != nil {
		for _, t := range d.texts(profiles, path.field("profiles")) {
			names = append(names, t.text)
		}
	}
	return names
}

// environment adds variables to those that are there, which they replace.
func (d *decoder) environment(pairs []Variable) {
	for _, p := range pairs {
		d.service.Environment = slices.DeleteFunc(d.service.Environment, func(old Variable) bool { return old.Name == p.Name })
		d.service.Environment = append(d.service.Environment, p)
	}
}

// envFile reads the files of env_file: names, or mappings of path, required and format.
func (d *decoder) envFile(v *value, path Path) {
	for _, item := range asList(v).items {
		at := item.pathIn(path.Service)
		file, required := item, true
		if item.kind == mapping {
			for _, e := range item.fields {
				switch e.key {
				case "path":
				case "required":
					d.boolean(e.value, at.field(e.key), &required)
				case "format":
					d.noteNotApplied(e.at, at.field(e.key), "the file is read as Compose reads env files")
				default:
					d.unknown(e, at, []string{"path", "required", "format"})
				}
			}
			file = item.get("path")
		}
		if file == nil || file.kind != scalar {
			d.fail(item.at, at, manifest.ReasonType, "must be the name of a file, or {path: FILE, required: false}")
			continue
		}
		d.readEnvFile(file, at, required)
	}
}

func (d *decoder) readEnvFile(file *value, path Path, required bool) {
	name := beside(file.at.File, file.text)
	data, err := d.opts.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) && !required {
		return
	}
	if err != nil {
		d.fail(file.at, path, manifest.ReasonRead, "cannot read %s: %v; write {path: %s, required: false} if it may be missing", name, reason(err), file.text)
		return
	}
	all, err := parseEnv(string(data), d.lookup)
	if err != nil {
		d.fail(file.at, path, manifest.ReasonSyntax, "%s is no environment file: %v", name, err)
	}
	for _, v := range all {
		if v.bare {
			known, ok := d.lookup(v.name)
			if !ok {
				continue
			}
			v.value = known
		}
		d.environment([]Variable{{v.name, v.value, file.at}})
	}
}

func (d *decoder) build(v *value, path Path) {
	d.service.Build = true
	if v.kind == scalar {
		d.service.Context = contextOf(v)
		return
	}
	if !d.isMapping(v, path) {
		return
	}
	d.service.Context = beside(v.at.File, ".")
	names := []string{"additional_contexts", "args", "cache_from", "cache_to", "dockerfile", "dockerfile_inline", "entitlements", "extra_hosts", "isolation", "labels",
		"network", "no_cache", "no_cache_filter", "platforms", "privileged", "provenance", "pull", "sbom", "secrets", "shm_size", "ssh", "tags", "target", "ulimits"}
	for _, e := range v.fields {
		switch {
		case e.key == "context" && e.kind == scalar:
			d.service.Context = contextOf(e.value)
		case e.key == "context":
		case slices.Contains(names, e.key):
			d.noteNotApplied(e.at, path.field(e.key), ofTheBuild)
		default:
			d.unknown(e, path, append(names, "context"))
		}
	}
}

// contextOf is the folder of a build. One that is somewhere else stays as it is written.
func contextOf(v *value) string {
	if isRemote(v.text) {
		return v.text
	}
	return beside(v.at.File, v.text)
}

// isRemote reports whether a path leads to another machine.
func isRemote(path string) bool {
	return strings.Contains(path, "://") || strings.HasPrefix(path, "git@") || strings.HasPrefix(path, "github.com/") || strings.HasPrefix(path, "oci:")
}

func (d *decoder) restart(v *value, path Path) {
	if v.kind == scalar && v.text == "" {
		return // as if nothing were said, from ${RESTART:-} for example
	}
	d.service.RestartAt = v.at
	policy, count, counted := strings.Cut(v.text, ":")
	switch {
	case slices.Contains([]string{"no", "always", "unless-stopped", "on-failure"}, policy) && !counted:
	case v.tag == "!!bool" && v.text == "false": // "no" without quotes, to older parsers
		policy = "no"
	case policy == "on-failure" && counted:
		n, err := strconv.Atoi(count)
		if err != nil || n < 0 {
			d.fail(v.at, path, manifest.ReasonType, "on-failure takes a number, as in on-failure:3")
			return
		}
		d.service.Retries = n
	default:
		d.fail(v.at, path, manifest.ReasonType, "must be \"no\", always, on-failure, on-failure:3 or unless-stopped, this is %s", v.shown())
		return
	}
	d.service.Restart = policy
}

func (d *decoder) dependsOn(v *value, path Path) {
	switch v.kind {
	case list:
		words, _ := d.words(v, path)
		for _, w := range words {
			d.service.DependsOn = append(d.service.DependsOn, Dependency{w.Text, "service_started", true, w.At})
		}
	case mapping:
		for _, e := range v.fields {
			d.service.DependsOn = append(d.service.DependsOn, d.dependency(e, path.field(e.key)))
		}
	default:
		d.fail(v.at, path, manifest.ReasonType, "must be a list of services, or a mapping of them with a condition, this is %s", v.what())
	}
}

func (d *decoder) dependency(e entry, path Path) Dependency {
	dep := Dependency{e.key, "service_started", true, e.at}
	if e.kind == null {
		return dep
	}
	if !d.isMapping(e.value, path) {
		return dep
	}
	conditions := []string{"service_started", "service_healthy", "service_completed_successfully"}
	for _, f := range e.fields {
		at := path.field(f.key)
		switch f.key {
		case "condition":
			d.text(f.value, at, &dep.Condition)
			if !slices.Contains(conditions, dep.Condition) {
				d.fail(f.value.at, at, manifest.ReasonType, "must be service_started, service_healthy or service_completed_successfully, this is %s%s", f.shown(), didYouMean(dep.Condition, conditions))
			}
		case "required":
			d.boolean(f.value, at, &dep.Required)
		case "restart":
			d.noteNotApplied(f.at, at, "Kubernetes restarts no Pod because another one was restarted")
		default:
			d.unknown(f, path, []string{"condition", "required", "restart"})
		}
	}
	return dep
}

// labels keeps what other labels there are for the Pods, and those of Probity as annotations.
func (d *decoder) labels(v *value, path Path) {
	for _, p := range d.pairs(v, path, false) {
		if strings.HasPrefix(p.Name, "probity.run/") {
			d.service.Annotations = append(d.service.Annotations, p)
			continue
		}
		d.service.Labels = append(d.service.Labels, p)
	}
	if len(d.service.Labels) > 0 {
		d.noteNotApplied(v.at, path, "but for those of probity.run/: Kubernetes selects by labels, and Docker's are for tools that read Docker's")
	}
}

func (d *decoder) replicas(v *value, path Path) {
	n := 0
	d.number(v, path, &n)
	if n > 1000 {
		d.fail(v.at, path, manifest.ReasonType, "%d replicas are more than the 1000 that are taken here", n)
	}
	if before := d.service.Replicas; before != nil && *before != n {
		d.distinct(v, path, strconv.Itoa(*before), d.service.ReplicasAt)
	}
	d.service.Replicas, d.service.ReplicasAt = &n, v.at
}

// set takes what two fields may say, as long as they say the same.
func (d *decoder) set(to *Word, v *value, path Path, text string) {
	if to.Text != "" && to.Text != text {
		d.distinct(v, path, to.Text, to.At)
	}
	*to = Word{text, v.at}
}

func (d *decoder) distinct(v *value, path Path, before string, at Place) {
	d.fail(v.at, path, manifest.ReasonType, "%s says %s already, and Docker takes no two: leave one out", at.Path, before)
}

// cpu reads a number of CPUs.
func (d *decoder) cpu(v *value, path Path, to *Word) {
	if n, err := strconv.ParseFloat(v.printed, 64); v.kind != scalar || err != nil || n < 0 || n > 1e4 {
		d.fail(v.at, path, manifest.ReasonType, "must be a number of CPUs such as 0.5, this is %s", v.shown())
	} else if n > 0 {
		d.set(to, v, path, strconv.Itoa(int(n*1000+0.5))+"m")
	}
}

// memory reads a size as Docker writes it: 512m, 1g, 1.5gb. Its units are powers of 1024.
func (d *decoder) memory(v *value, path Path, to *Word) {
	bytes, err := parseBytes(v.printed)
	if v.kind != scalar || err != nil {
		d.fail(v.at, path, manifest.ReasonType, "must be a size such as 512m or 1g, this is %s", v.shown())
		return
	}
	text := strconv.FormatInt(bytes, 10)
	for _, unit := range []struct {
		suffix string
		size   int64
	}{{"Gi", 1 << 30}, {"Mi", 1 << 20}, {"Ki", 1 << 10}} {
		if bytes > 0 && bytes%unit.size == 0 {
			text = strconv.FormatInt(bytes/unit.size, 10) + unit.suffix
			break
		}
	}
	d.set(to, v, path, text)
}

func parseBytes(text string) (int64, error) {
	lower := strings.ToLower(strings.TrimSpace(text))
	number := strings.TrimRight(lower, "bkmgti ")
	shift := map[string]int{"": 0, "b": 0, "k": 10, "kb": 10, "kib": 10, "m": 20, "mb": 20, "mib": 20, "g": 30, "gb": 30, "gib": 30, "t": 40, "tb": 40, "tib": 40}
	by, known := shift[strings.TrimSpace(lower[len(number):])]
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || !known || n < 0 || n > 1e15 {
		return 0, fmt.Errorf("%q is no size", text)
	}
	return int64(n * float64(int64(1)<<by)), nil
}
