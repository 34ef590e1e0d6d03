package compose

import (
	"slices"
	"strings"

	"github.com/probity-run/probity/internal/manifest"
)

// merged puts one value on top of another by Compose's rules: mappings are merged, lists are
// joined, anything else is replaced. Some fields have forms that are made equal before, and some
// are replaced as a whole.
func (l *loader) merged(base, over *value, path Path) *value {
	switch {
	case base == nil || base.kind == null || over != nil && over.over == override:
		return over
	case over == nil || over.kind == null:
		return base
	}
	switch path.Field {
	case "command", "entrypoint", "healthcheck.test":
		return over
	case "environment", "labels", "annotations", "sysctls", "build.args", "build.labels", "deploy.labels":
		return l.mergedFields(asPairs(base), asPairs(over), path)
	case "depends_on", "networks":
		return l.mergedFields(asKeys(base), asKeys(over), path)
	case "build":
		return l.mergedFields(asContext(base), asContext(over), path)
	case "env_file", "label_file", "dns", "dns_opt", "dns_search", "extra_hosts", "tmpfs":
		return joined(asList(base), asList(over))
	}
	switch {
	case base.kind == mapping && over.kind == mapping:
		return l.mergedFields(base, over, path)
	case base.kind == list && over.kind == list:
		return joined(base, over)
	case base.kind != over.kind:
		l.fail(over.at, path, manifest.ReasonType, "%s cannot be put on top of %s, which is at %v", over.what(), base.what(), base.at)
	}
	return over
}

func (l *loader) mergedFields(base, over *value, path Path) *value {
	changed := *over
	changed.fields = slices.Clone(base.fields)
	for _, e := range over.fields {
		i := slices.IndexFunc(changed.fields, func(old entry) bool { return old.key == e.key })
		switch {
		case e.over == reset && i >= 0:
			changed.fields = slices.Delete(changed.fields, i, i+1)
			continue
		case e.over == reset:
			continue
		case i < 0:
			changed.fields = append(changed.fields, e)
			continue
		}
		if path.Field == "environment" || path.Field == "labels" { // null means something there
			changed.fields[i] = e
			continue
		}
		changed.fields[i] = entry{e.key, e.at, l.merged(changed.fields[i].value, e.value, path.field(e.key))}
	}
	return &changed
}

// joined joins lists. What is there already does not come again.
func joined(base, over *value) *value {
	changed := *over
	changed.items = slices.Clone(base.items)
	for _, item := range over.items {
		if !slices.ContainsFunc(changed.items, func(old *value) bool { return equal(old, item) }) {
			changed.items = append(changed.items, item)
		}
	}
	return &changed
}

// equal reports whether two values say the same.
func equal(a, b *value) bool {
	return a.kind == b.kind && a.text == b.text && slices.EqualFunc(a.items, b.items, equal) &&
		slices.EqualFunc(a.fields, b.fields, func(x, y entry) bool { return x.key == y.key && equal(x.value, y.value) })
}

// asPairs makes a mapping of a list of NAME=value.
func asPairs(v *value) *value {
	if v.kind != list {
		return v
	}
	changed := value{kind: mapping, at: v.at}
	for _, item := range v.items {
		if item.kind != scalar {
			continue // reported where it is decoded: only merged lists pass here
		}
		name, text, has := strings.Cut(item.text, "=")
		pair := &value{at: item.at}
		if has {
			pair.kind, pair.text, pair.printed, pair.tag = scalar, text, text, "!!str"
		}
		changed = *changed.with(entry{name, item.at, pair})
	}
	return &changed
}

// asKeys makes a mapping of a list of names.
func asKeys(v *value) *value {
	if v.kind != list {
		return v
	}
	changed := value{kind: mapping, at: v.at}
	for _, item := range v.items {
		changed = *changed.with(entry{item.text, item.at, &value{at: item.at}})
	}
	return &changed
}

// asContext makes a mapping of a build that is a folder alone.
func asContext(v *value) *value {
	if v.kind != scalar {
		return v
	}
	return &value{kind: mapping, at: v.at, fields: []entry{{"context", v.at, v}}}
}

func asList(v *value) *value {
	if v.kind == list {
		return v
	}
	return &value{kind: list, at: v.at, items: []*value{v}}
}
