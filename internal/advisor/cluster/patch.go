package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/advisor/evidence"
	"github.com/probity-run/probity/internal/advisor/fix"
	"github.com/probity-run/probity/internal/manifest"
)

// A Patch is what would put an object right.
type Patch struct {
	Object manifest.Ref
	// APIVersion is that of its kind.
	APIVersion string
	// Rules are those whose findings it puts right.
	Rules []string
	// Before and After are the object as JSON; Like is a value of its type, which says how lists
	// are merged.
	Before, After []byte
	Like          manifest.Resource
	// Owner is who keeps the object, so that the change belongs into what that reads; or empty.
	Owner string
	// Managed says who has written which field of the object, but for its status.
	Managed []metav1.ManagedFieldsEntry
}

// Patches are the patches that follow from what the rules find, but for findings that what was seen
// contradicts. The result of each is judged, as that of a file is. The error joins what could not
// be patched, beside what could.
func (o *Objects) Patches(rules []advisor.Rule, seen *evidence.Observations) ([]Patch, error) {
	var list []Patch
	var errs []error
	all := seen.ByContainer()
	for _, ns := range o.sorted() {
		m, err := o.manifests(ns)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		wanted := func(m *advisor.Manifests) []advisor.Finding { return patchable(m, rules, seen, all) }
		fixed := map[string][]string{}
		for _, f := range wanted(m) {
			if name := nameOf(f.Object); f.Patch != nil && !slices.Contains(fixed[name], f.Rule) {
				fixed[name] = append(fixed[name], f.Rule)
			}
		}
		result := fix.All(m, wanted)
		for _, s := range result.Skipped {
			errs = append(errs, fmt.Errorf("not fixed: %s: %s: %w", nameOf(s.Finding.Object), s.Finding.Rule, s.Err))
			name := nameOf(s.Finding.Object)
			fixed[name] = slices.DeleteFunc(fixed[name], func(rule string) bool { return rule == s.Finding.Rule })
		}
		for _, name := range result.Changed {
			p, err := o.patch(ns, name, m, result.Manifests)
			p.Rules = fixed[name]
			if err != nil {
				errs = append(errs, fmt.Errorf("not fixed: %s: %w", name, err))
				continue
			}
			list = append(list, p)
		}
	}
	return list, errors.Join(errs...)
}

// patchable are the findings of a namespace whose patches are wanted.
func patchable(m *advisor.Manifests, rules []advisor.Rule, seen *evidence.Observations, all evidence.ByContainer) []advisor.Finding {
	found := slices.DeleteFunc(advisor.Check(m, rules), isAboutSeen)
	merged := seen.Merge(found, nil, all)
	return slices.DeleteFunc(merged, func(f advisor.Finding) bool { return f.Basis == advisor.Contradicted || f.Suppressed != "" })
}

// Left is what of a report is still found once patches are applied. What was seen and no rule has
// foretold stays: no patch is known to end it.
func (o *Objects) Left(report *advisor.Report, rules []advisor.Rule, applied []Patch) (*advisor.Report, error) {
	texts := map[string]map[string][]byte{} // by namespace and object
	for _, p := range applied {
		if texts[p.Object.Namespace] == nil {
			texts[p.Object.Namespace] = map[string][]byte{}
		}
		texts[p.Object.Namespace][nameOf(p.Object)] = p.After
	}
	still := map[string]bool{}
	for ns, changed := range texts {
		m, err := o.manifests(ns)
		if err != nil {
			return nil, err
		}
		if m, err = m.With(changed); err != nil {
			return nil, err
		}
		for _, f := range advisor.Check(m, rules) {
			still[f.Key()] = true
		}
	}
	left := *report
	left.Findings = slices.DeleteFunc(slices.Clone(report.Findings), func(f advisor.Finding) bool {
		return texts[f.Object.Namespace] != nil && f.Basis != advisor.Seen && !still[f.Key()]
	})
	return &left, nil
}

// patch is the difference between two texts of an object.
func (o *Objects) patch(namespace, name string, before, after *advisor.Manifests) (Patch, error) {
	kept := o.namespaces[namespace][o.index[name]]
	var head struct {
		APIVersion string   `json:"apiVersion"`
		Kind       string   `json:"kind"`
		Metadata   metadata `json:"metadata"`
	}
	if err := json.Unmarshal(kept.text, &head); err != nil {
		return Patch{}, err
	}
	p := Patch{
		Object: manifest.Ref{Kind: head.Kind, Namespace: namespace, Name: head.Metadata.Name}, APIVersion: head.APIVersion, Owner: kept.owner, Managed: kept.managed,
	}
	like, err := like(before, name)
	if err != nil {
		return Patch{}, err
	}
	p.Before, p.After, p.Like = before.Text(name), after.Text(name), like
	return p, nil
}

// like is the object of that name, whose type says how its lists are merged.
func like(m *advisor.Manifests, name string) (manifest.Resource, error) {
	for _, w := range m.Workloads {
		if w.Object.Position.File == name {
			return w.Object.Resource, nil
		}
	}
	for _, s := range m.Services {
		if s.Object.Position.File == name {
			return s.Object.Resource, nil
		}
	}
	return nil, errors.New("its kind has no patches")
}
