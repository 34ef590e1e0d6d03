package tune

import (
	"slices"
	"strings"
)

// Merge joins series of the same manifest, measured one after the other: it adds what they have of
// each container, starts and windows, and gives the manifest, host and version of the first. What
// it is given is not changed. It is nil for none.
func Merge(list ...*Series) *Series {
	if len(list) == 0 {
		return nil
	}
	all := *list[0]
	all.Containers, all.Skipped = nil, nil
	for _, s := range list {
		if s.Manifest != all.Manifest {
			all.Manifest = "" // of several
		}
		for _, text := range s.Skipped {
			if !slices.Contains(all.Skipped, text) {
				all.Skipped = append(all.Skipped, text)
			}
		}
		for i := range s.Containers {
			all.add(&s.Containers[i])
		}
	}
	return &all
}

// WithNamespaces gives workloads their names of a manifest: a name without a namespace, as in older
// files and of a cluster whose namespace was chosen, is taken for that of the one workload that is
// called so in another namespace.
func (s *Series) WithNamespaces(names []string) {
	full := map[string]string{} // "" if there are several
	for _, name := range names {
		short := withoutNamespace(name)
		if other, ok := full[short]; ok && other != name {
			name = ""
		}
		full[short] = name
	}
	for i := range s.Containers {
		if name := full[s.Containers[i].Workload]; name != "" {
			s.Containers[i].Workload = name
		}
	}
}

// withoutNamespace gives "deployment/web" of "shop/deployment/web", and of itself.
func withoutNamespace(workload string) string {
	if strings.Count(workload, "/") > 1 {
		_, workload, _ = strings.Cut(workload, "/")
	}
	return workload
}

// Find is the container of that name; nil if there is none.
func (s *Series) Find(workload, name string) *Container {
	i := slices.IndexFunc(s.Containers, func(c Container) bool { return c.Workload == workload && c.Name == name })
	if i < 0 {
		return nil
	}
	return &s.Containers[i]
}

func (s *Series) add(c *Container) {
	into := s.Find(c.Workload, c.Name)
	if into == nil {
		s.Containers = append(s.Containers, Container{Workload: c.Workload, Name: c.Name})
		into = &s.Containers[len(s.Containers)-1]
	}
	into.Starts = append(into.Starts, c.Starts...)
	into.Counts = append(into.Counts, c.Counts...)
	before := into.Endpoints // those of one measurement were asked at the same time: their hours do not add up
	for i := range c.Endpoints {
		e := &c.Endpoints[i]
		known := measuredOf(before, e.Request, e.Probes...)
		if known < 0 {
			into.Endpoints = append(into.Endpoints, Endpoint{Request: e.Request})
			known = len(into.Endpoints) - 1
		}
		x := &into.Endpoints[known]
		if x.Resolved == "" {
			x.Request = e.Request // the other one is of an older version
		}
		for _, probe := range e.Probes {
			if !slices.Contains(x.Probes, probe) {
				x.Probes = append(x.Probes, probe)
			}
		}
		x.Windows = append(x.Windows, e.Windows...)
	}
}

// Endpoint is what the probe of a type asks; nil if that was not measured.
func (c *Container) Endpoint(probe string) *Endpoint {
	i := slices.IndexFunc(c.Endpoints, func(e Endpoint) bool { return slices.Contains(e.Probes, probe) })
	if i < 0 {
		return nil
	}
	return &c.Endpoints[i]
}
