package dashboard

import (
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/probity-run/probity/internal/dashboard/draft"
	"github.com/probity-run/probity/internal/dashboard/shape"
	"github.com/probity-run/probity/internal/registry"
)

// changedMeanwhile says that others have changed the same probes since they were read.
type changedMeanwhile struct {
	now         draft.Values
	differences []draft.Difference
}

func (c *changedMeanwhile) Error() string { return "the probes were changed meanwhile" }

// markup says what was changed.
func (c *changedMeanwhile) markup() item {
	var rows list
	for _, d := range c.differences {
		rows = append(rows, e("tr", e("td.mono", text(d.Name)), e("td", text(d.Was)), e("td", text(d.Is))))
	}
	return list{e("p.warn.state", shape.Warning(), e("b", text("Somebody changed these probes meanwhile. Nothing was applied."))),
		conflictTable([]string{"Field", "When you began", "Now"}, rows)}
}

// owned is a field that belongs to another manager.
type owned struct {
	field   string // in the container: livenessProbe.periodSeconds
	manager string
}

// ownersOf are the fields for which a server-side apply was refused; none if that is not why.
func ownersOf(err error) (all []owned) {
	refused, ok := errors.AsType[*apierrors.StatusError](err)
	if !ok || refused.ErrStatus.Details == nil {
		return nil
	}
	for _, cause := range refused.ErrStatus.Details.Causes {
		manager := registry.OwnerOf(cause)
		if manager == "" {
			continue
		}
		field := cause.Field[strings.LastIndexByte(cause.Field, ']')+1:]
		all = append(all, owned{strings.TrimPrefix(field, "."), manager})
	}
	slices.SortFunc(all, func(a, b owned) int { return cmp.Or(cmp.Compare(a.field, b.field), cmp.Compare(a.manager, b.manager)) })
	return slices.Compact(all)
}

// ownedByOthers shows what others have set of what the form changes.
func (f *formView) ownedByOthers(fields []owned) item {
	now, mine := f.Draft.Workload.Values(), f.Draft.Values
	word := func(v draft.Values, field string) string {
		probe, _, _ := strings.Cut(field, ".")
		if v.Handler(probe) == "" {
			return "no probe"
		}
		return cmp.Or(v[field], "default")
	}
	var rows list
	for _, o := range fields {
		rows = append(rows, e("tr", e("td.mono", text(o.field)), e("td", text(o.manager)), e("td", text(word(now, o.field))), e("td", text(word(mine, o.field)))))
	}
	said := list{
		e("p.warn.state", shape.Warning(), e("b", text("Others own what you change. Nothing was applied."))),
		e("p.small.muted", text("If you apply it all the same it is yours, and their next apply is a conflict for them.")),
		conflictTable([]string{"Field", "Owner", "Now", "Yours"}, rows),
	}
	return conflict(now, said, "force")
}

func conflictTable(heads []string, rows list) item {
	var head list
	for _, word := range heads {
		head = append(head, e("th", at("scope", "col"), text(word)))
	}
	return e("div.scroll", at("tabindex", "0"), at("role", "region"), at("aria-label", "Conflict"), e("table.plain.small", e("thead", e("tr", head)), e("tbody", rows)))
}

// conflict lets a person decide; now is what the probes are, and consent the field of the form that
// the decision for what is typed sets, if any: who was shown no owner takes nothing from one.
func conflict(now draft.Values, said item, consent string) item {
	values, err := json.Marshal(now)
	if err != nil {
		values = []byte("{}") // texts always have a JSON form
	}
	return e("div", at("id", "done"), at("data-conflict", string(values)), e("div.pane", said,
		e("p.buttons", e("button.btn", at("type", "button"), at("data-mine", consent), text("Apply mine all the same")), text(" "), e("button.btn", at("type", "button"), at("data-theirs", ""), text("Take theirs")))))
}
