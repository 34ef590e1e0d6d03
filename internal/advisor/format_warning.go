package advisor

import (
	"slices"

	"github.com/probity-run/probity/internal/manifest"
)

// FormatWarning is the id of the rule about what is legal in a document of another format, and
// hardly meant.
const FormatWarning = "format-warning"

// formatWarnings are the findings about documents of other formats that they brought along.
func (m *Manifests) formatWarnings() []Finding {
	var list []Finding
	for _, s := range m.sources {
		if s.Set == nil || s.Patch {
			continue
		}
		for _, w := range s.Set.Warnings {
			f := Finding{Rule: FormatWarning, Severity: Risk, Object: w.Object, Field: w.Field, Original: w.Original, Message: w.Field + ": " + w.Message,
				subject: &manifest.Object{Position: w.Position}}
			f.At(w.Position)
			list = append(list, f)
		}
	}
	return list
}

// withoutEchoes takes away warnings about places of which another rule has more to say, and what is
// said again because one value of a document stands in several objects.
func withoutEchoes(found []Finding) []Finding {
	type place struct {
		region  Region
		message string
	}
	seen := map[place]bool{}
	found = slices.DeleteFunc(found, func(f Finding) bool {
		p := place{f.Region, f.Message}
		again := f.Rule == ManifestInvalid && f.Original.Format != "" && seen[p]
		seen[p] = true
		return again
	})
	return slices.DeleteFunc(slices.Clone(found), func(f Finding) bool {
		return f.Rule == FormatWarning && slices.ContainsFunc(found, func(g Finding) bool { return g.Rule != FormatWarning && g.Region == f.Region })
	})
}
