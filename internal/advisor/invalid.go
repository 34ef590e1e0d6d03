package advisor

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/probity-run/probity/internal/manifest"
)

// ManifestInvalid is the id of the rule about what the API server, or kubectl, refuses.
const ManifestInvalid = "manifest-invalid"

// invalidObject makes findings of an object's problems, apart from those that a finding of another
// rule is about.
func (m *Manifests) invalidObject(o *manifest.Object, found []Finding) []Finding {
	var list []Finding
	if len(o.Problems) == 0 {
		return nil
	}
	isPiece, known := m.isPiece(o), subjectsOf(found, o)
	for _, p := range o.Problems {
		if isPiece && comesFromElsewhere(p) || known.include(p) {
			continue
		}
		// one slip, a name of a port for example, may break several rules
		if last := len(list) - 1; last >= 0 && *list[last].at == p.Position && list[last].Field == p.Field {
			list[last].Message += "; " + p.Message
			continue
		}
		list = append(list, invalidFinding(p, o))
	}
	return list
}

// subjects are the places of an object that findings are about.
type subjects struct {
	positions map[Position]bool // of findings that were made of a problem
	outages   map[string]bool   // fields of outages, and the fields around these
}

func subjectsOf(found []Finding, o *manifest.Object) subjects {
	s := subjects{map[Position]bool{}, map[string]bool{}}
	for _, f := range found {
		if f.subject.Position != o.Position {
			continue
		}
		if f.at != nil {
			s.positions[*f.at] = true
		}
		if f.Severity != Outage {
			continue
		}
		s.outages[f.Field] = true
		for path := f.Field; path != ""; path = path[:max(0, strings.LastIndexByte(path, '.'))] {
			s.outages[path] = true
		}
	}
	return s
}

// include reports whether a finding says what a problem says: it is made of it, or another rule has
// found for itself what the API server refuses, in this field or in a part of it.
func (s subjects) include(p *manifest.Error) bool {
	return s.positions[p.Position] || !p.IsDecoding() && s.outages[p.Field]
}

func invalidFinding(p *manifest.Error, o *manifest.Object) Finding {
	f := Finding{Rule: ManifestInvalid, Severity: Outage, Object: p.Object, Field: p.Field, Message: p.Message, subject: o}
	if p.Field != "" {
		f.Message = p.Field + ": " + p.Message
	}
	if p.Reason == manifest.ReasonDuplicateObject {
		f.Severity = Risk // kubectl applies both, and the last one stays
	}
	f.At(p.Position)
	return f
}

// refused are the findings about documents that gave no object.
func (m *Manifests) refused() []Finding {
	var list []Finding
	for _, s := range m.sources {
		if s.Set == nil {
			continue
		}
		for _, e := range s.Set.Invalid {
			list = append(list, invalidFinding(e, &manifest.Object{Position: e.Position}))
		}
	}
	return list
}

// isPiece reports whether something else completes the object: a kustomization, or whatever puts
// the files of a folder together. In a file that someone names, an object is meant to be whole.
func (m *Manifests) isPiece(o *manifest.Object) bool {
	s := m.source(o.Position.File)
	if s.Pieces {
		return true
	}
	if !s.Mixed {
		return false
	}
	if _, isService := o.Resource.(*corev1.Service); isService {
		return !o.Has("spec.ports")
	}
	w := newWorkload(*o)
	return w != nil && w.IsFragment()
}

// passOverPieces notes what is not said about objects that something else completes.
func (m *Manifests) passOverPieces(objects []manifest.Object) {
	for i := range objects {
		o := &objects[i]
		j := slices.IndexFunc(o.Problems, comesFromElsewhere)
		if j >= 0 && m.isPiece(o) {
			p := o.Problems[j]
			m.PassedOver = append(m.PassedOver, manifest.PassedOver{Position: p.Position, Reason: "a piece of an object: " + p.Field + ": " + p.Message})
		}
	}
}

// comesFromElsewhere reports whether a problem is no problem of a piece: what it lacks, or what
// only a patch may say.
func comesFromElsewhere(p *manifest.Error) bool {
	switch p.Reason {
	case manifest.Reason(field.ErrorTypeRequired):
		return true
	case manifest.ReasonUnknownField:
		// $patch: delete
		return strings.HasPrefix(p.Field[strings.LastIndexByte(p.Field, '.')+1:], "$")
	case manifest.Reason(field.ErrorTypeInvalid):
		return strings.Contains(p.Message, "`selector` does not match") || strings.Contains(p.Message, "empty selector")
	case manifest.Reason(field.ErrorTypeNotFound):
		return true // a mount whose volume another piece has
	}
	return false
}
