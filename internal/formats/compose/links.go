package compose

import (
	"slices"
	"strings"

	"github.com/probity-run/probity/internal/manifest"
)

// implied reads the fields that name other services beside depends_on: Compose starts those first,
// too.
func (d *decoder) implied(v *value, path Path) {
	if links := v.get("links"); links != nil {
		d.links(links, path.field("links"))
	}
	if mode := v.get("network_mode"); mode != nil {
		d.networkMode(mode, path.field("network_mode"))
	}
}

func (d *decoder) links(v *value, path Path) {
	if v.kind != list {
		d.fail(v.at, path, manifest.ReasonType, "must be a list of services, this is %s", v.what())
		return
	}
	words, _ := d.words(v, path)
	for _, w := range words {
		name, alias, _ := strings.Cut(w.Text, ":")
		d.startsBehind(name, w.At)
		if alias != "" && alias != name {
			d.noteDifferent(w.At, path, "Docker would let it reach %s as %s, Kubernetes will not: write %s where it is asked", name, alias, name)
		}
	}
}

func (d *decoder) networkMode(v *value, path Path) {
	mode := ""
	d.text(v, path, &mode)
	name, ok := strings.CutPrefix(mode, "service:")
	if !ok {
		d.noteNotApplied(v.at, path, ofTheNetwork)
		return
	}
	d.startsBehind(name, v.at)
	d.noteNotApplied(v.at, path, "to share the network of %s, and localhost, both have to be containers of one Pod", name)
}

// startsBehind adds a dependency that depends_on does not name.
func (d *decoder) startsBehind(name string, at Place) {
	if !slices.ContainsFunc(d.service.DependsOn, func(dep Dependency) bool { return dep.Service == name }) {
		d.service.DependsOn = append(d.service.DependsOn, Dependency{name, "service_started", true, at})
	}
}
