package advisor

import (
	"regexp"
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
		if isPiece && m.comesFromElsewhere(o, p) || known.include(p) {
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
	f := Finding{Rule: ManifestInvalid, Severity: Outage, Object: p.Object, Field: p.Field, Message: p.Message, Original: p.Original, subject: o}
	if _, field := f.Words(); field != "" {
		f.Message = field + ": " + p.Message
	}
	switch p.Reason {
	case manifest.ReasonDuplicateObject, manifest.ReasonDuplicateField:
		f.Severity = Risk // kubectl takes both without a word, and the last one counts
	}
	f.At(p.Position)
	return f
}

// refused are the findings about documents that gave no object.
func (m *Manifests) refused() []Finding {
	var list []Finding
	for _, s := range m.sources {
		if s.Set == nil || s.Patch {
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
		if len(o.Problems) == 0 || !m.isPiece(o) {
			continue
		}
		if j := slices.IndexFunc(o.Problems, func(p *manifest.Error) bool { return m.comesFromElsewhere(o, p) }); j >= 0 {
			p := o.Problems[j]
			m.PassedOver = append(m.PassedOver, manifest.PassedOver{Position: p.Position, Reason: "a piece of an object: " + p.Field + ": " + p.Message})
		}
	}
	for _, s := range m.sources {
		if s.Patch && s.Set != nil {
			for _, e := range s.Set.Invalid {
				m.PassedOver = append(m.PassedOver, manifest.PassedOver{Position: e.Position, Reason: "a patch of a kustomization: " + e.Field + ": " + e.Message})
			}
		}
	}
}

// replaced matches a quoted value with what a kustomization, or who applies it, replaces.
var replaced = regexp.MustCompile(`"[^"]*\$[({][^"]*"`)

// comesFromElsewhere reports whether a problem is no problem of a piece: what it lacks, or what
// only a patch may say.
func (m *Manifests) comesFromElsewhere(o *manifest.Object, p *manifest.Error) bool {
	source := m.source(o.Position.File)
	if source.Patch && isFreeInPatches(p) || source.Mixed && replaced.MatchString(p.Message) {
		return true
	}
	switch p.Reason {
	case manifest.Reason(field.ErrorTypeRequired):
		return true
	case manifest.ReasonUnknownField:
		// $patch: delete
		return strings.HasPrefix(p.Field[strings.LastIndexByte(p.Field, '.')+1:], "$")
	case manifest.Reason(field.ErrorTypeInvalid):
		if strings.Contains(p.Message, "`selector` does not match") || strings.Contains(p.Message, "empty selector") {
			return true
		}
		isZero := strings.HasPrefix(p.Message, "Invalid value: 0:") || strings.HasPrefix(p.Message, `Invalid value: "":`)
		return isZero && !o.Has(p.Field) // of what another piece has
	case manifest.Reason(field.ErrorTypeNotFound):
		return true // a mount whose volume another piece has
	}
	return false
}

// isFreeInPatches reports whether a problem is about what nobody reads of a patch, as its
// kustomization says to what it is applied: its type, its name, and fields beside these.
func isFreeInPatches(p *manifest.Error) bool {
	return p.Reason == manifest.ReasonKind || p.Field == "metadata.name" || p.Reason == manifest.ReasonUnknownField && !strings.Contains(p.Field, ".")
}
