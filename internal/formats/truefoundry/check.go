package truefoundry

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/probity-run/probity/internal/formats/tree"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/printable"
)

// A checker compares a document with the objects of the format, and notes what is wrong and what
// has no meaning here.
type checker struct {
	*manifest.Conversion
	types map[string]objectType
	ref   manifest.Ref // of what is checked
}

func (c *checker) remark(v tree.Value, format string, args ...any) manifest.Remark {
	return manifest.Remark{At: v.Place(), Object: c.ref, Field: v.Path, Message: fmt.Sprintf(format, args...)}
}

func (c *checker) fail(v tree.Value, format string, args ...any) {
	c.Errors = append(c.Errors, c.remark(v, format, args...))
}

func (c *checker) unknown(name tree.Value, format string, args ...any) {
	r := c.remark(name, format, args...)
	r.At, r.Reason = name.Name(), manifest.ReasonUnknownField
	c.Errors = append(c.Errors, r)
}

func (c *checker) warn(v tree.Value, format string, args ...any) {
	c.Warnings = append(c.Warnings, c.remark(v, format, args...))
}

func (c *checker) idle(v tree.Value, format string, args ...any) {
	c.NotApplied = append(c.NotApplied, c.remark(v, format, args...))
}

// object checks an object of one of the types that are named.
func (c *checker) object(v tree.Value, of ...string) {
	if !v.IsObject() {
		c.fail(v, "cannot use %s as an object: %s", v.Describe(), c.form(of[0]))
		return
	}
	name := c.choose(v, of)
	if name == "" {
		return
	}
	o := c.types[name]
	slipped := false // then what is missing stands there under another name
	for key, value := range v.Fields() {
		_, isSlip := o.slips[key]
		slipped = slipped || isSlip
		i := slices.IndexFunc(o.fields, func(f field) bool { return f.name == key })
		if i < 0 {
			c.unknown(value, "unknown field%s", o.hint(key))
			continue
		}
		c.field(value, o.fields[i])
	}
	for _, f := range o.fields {
		if f.required && !v.Field(f.name).Is() && f.name != "type" && !slipped {
			c.fail(v.Field(f.name), "missing: %s", c.form(name))
		}
	}
}

// choose finds which of several objects a value is, by its type.
func (c *checker) choose(v tree.Value, of []string) string {
	if len(of) == 1 {
		return of[0]
	}
	var tags []string
	for _, name := range of {
		if tag := c.types[name].tag; tag == v.Field("type").String() {
			return name
		}
		tags = append(tags, c.types[name].tag)
	}
	written := v.Field("type")
	choice := strings.Join(tags, ", ")
	if written.Is() {
		hint := ""
		switch written.String() {
		case "github", "gitlab":
			hint = ": write type: git, repo_url: …, ref: …, branch_name: …"
		case "nvidia.com/gpu":
			hint = ": write type: nvidia_gpu, count: 1"
		}
		c.fail(written, "there is no type %s here, it is one of %s%s", printable.Cut(written.Node.Value), choice, hint)
		return ""
	}
	for _, name := range of { // a slip that shows what is meant
		for key, value := range v.Fields() {
			if slip, ok := c.types[name].slips[key]; ok {
				c.unknown(value, "unknown field: %s", slip)
				return ""
			}
		}
	}
	c.fail(written, "missing: it is one of %s", choice)
	return ""
}

// form is what an object looks like, for who has written something else.
func (c *checker) form(name string) string {
	var parts []string
	o := c.types[name]
	if o.tag != "" {
		parts = append(parts, "type: "+o.tag)
	}
	for _, f := range o.fields {
		if f.required && f.name != "type" {
			parts = append(parts, f.name+": …")
		}
	}
	if len(parts) == 0 {
		for _, f := range o.fields[:min(2, len(o.fields))] {
			parts = append(parts, f.name+": …")
		}
	}
	return "write it as {" + strings.Join(parts, ", ") + "}"
}

// hint is what was probably meant by a name that the object does not have.
func (o objectType) hint(key string) string {
	if slip, ok := o.slips[key]; ok {
		return ": " + slip
	}
	var names []string
	for _, f := range o.fields {
		names = append(names, f.name)
	}
	if snake := snakeCase(key); snake != key && slices.Contains(names, snake) {
		return ", did you mean " + snake + "?"
	}
	if guess := manifest.Closest(key, names); guess != "" {
		return ", did you mean " + guess + "?"
	}
	return ""
}

// snakeCase turns livenessProbe into liveness_probe.
func snakeCase(name string) string {
	var b strings.Builder
	for i, r := range name {
		if r >= 'A' && r <= 'Z' {
			if i > 0 {
				b.WriteByte('_')
			}
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// field checks the value of a field.
func (c *checker) field(v tree.Value, f field) {
	if !v.Is() {
		return // null is absent
	}
	if f.idle != "" && v.Scalar() != false { // what is off needs no word
		c.idle(v, "%s", f.idle)
	}
	switch f.kind {
	case text:
		c.text(v, f)
	case number, whole:
		c.number(v, f)
	case flag:
		if _, ok := v.Scalar().(bool); !ok {
			c.fail(v, "cannot use %s as a boolean", v.Describe())
		}
	case command:
		c.command(v)
	case texts:
		if !v.IsList() {
			c.fail(v, "cannot use %s as a list", v.Describe())
		}
		for _, item := range v.Items() {
			c.word(item)
		}
	case textMap:
		c.textMap(v)
	case object:
		c.object(v, f.of...)
	case replicas:
		if v.IsObject() {
			c.object(v, f.of...)
		} else {
			c.number(v, f)
		}
	case objects:
		c.objects(v, f)
	}
}

func (c *checker) objects(v tree.Value, f field) {
	if !v.IsList() {
		c.fail(v, "cannot use %s as a list: write [{…}]", v.Describe())
	}
	for _, item := range v.Items() {
		if n, ok := item.Scalar().(int64); ok && f.of[0] == "port" {
			c.fail(item, "cannot use integer %d as an object: write {port: %d}", n, n)
			continue
		}
		c.object(item, f.of...)
	}
}

func (c *checker) text(v tree.Value, f field) {
	if v.IsObject() || v.IsList() {
		c.fail(v, "cannot use %s as a string", v.Describe())
		return
	}
	value := v.Node.Value
	if len(f.words) == 0 || slices.Contains(f.words, value) {
		return
	}
	hint := ""
	if i := slices.IndexFunc(f.words, func(w string) bool { return strings.EqualFold(w, value) }); i >= 0 {
		hint = ": write " + f.words[i]
	} else if f.name == "protocol" {
		hint = ": what is spoken over TCP is app_protocol: http, grpc or tcp"
	}
	c.fail(v, "cannot use %s: it is one of %s%s", v.Describe(), strings.Join(f.words, ", "), hint)
}

// word checks an item of a list of texts, of which none is absent.
func (c *checker) word(v tree.Value) bool {
	if _, ok := textOf(v); !ok {
		c.fail(v, "cannot use %s as a string", v.Describe())
		return false
	}
	return true
}

// textOf is a plain value as it is written: 123 is a text, too. It is "" and not ok if there is
// none.
func textOf(v tree.Value) (text string, ok bool) {
	if !v.Is() || v.IsObject() || v.IsList() {
		return "", false
	}
	return v.Node.Value, true
}

// plainText is the text of a plain value, if there is one.
func plainText(v tree.Value) string {
	text, _ := textOf(v)
	return text
}

func (c *checker) number(v tree.Value, f field) {
	n, ok := numberOf(v)
	switch {
	case !ok:
		c.fail(v, "cannot use %s as a number%s", v.Describe(), numberHint(v, f.unit))
	case f.kind != number && n != math.Trunc(n):
		c.fail(v, "cannot use %s: it is a whole number", v.Describe())
	case n < float64(f.least):
		c.fail(v, "cannot use %s: it is at least %d", v.Describe(), f.least)
	case n > math.MaxInt32: // Kubernetes' numbers have 32 bits
		c.fail(v, "cannot use %s: it is at most %d", v.Describe(), math.MaxInt32)
	case f.most > 0 && n > float64(f.most):
		c.warn(v, "TrueFoundry is said to take at most %d; Kubernetes takes it", f.most)
	}
}

// numberOf is a number, in quotes too, as files of 2022 have them.
func numberOf(v tree.Value) (float64, bool) {
	switch x := v.Scalar().(type) {
	case int64:
		return float64(x), true
	case uint64:
		return float64(x), true
	case float64:
		return x, !math.IsInf(x, 0) && !math.IsNaN(x)
	case string:
		n, err := strconv.ParseFloat(x, 64)
		return n, err == nil && !math.IsInf(n, 0) && !math.IsNaN(n)
	}
	return 0, false
}

// numberHint is the number that a quantity of Kubernetes, or a duration, means.
func numberHint(v tree.Value, of unit) string {
	for _, s := range suffixes(of) {
		digits, ok := strings.CutSuffix(v.String(), s.text)
		n, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
		if !ok || err != nil || math.IsInf(n, 0) || math.IsNaN(n) {
			continue
		}
		if n *= s.factor; of != cores {
			n = math.Max(1, math.Round(n)) // all else is counted in whole numbers
		}
		return fmt.Sprintf(": it is in %s, so write %s", of, decimal(n))
	}
	return ""
}

// A suffix ends a quantity, and is so many of the unit of a field.
type suffix struct {
	text   string
	factor float64
}

// suffixes are what people write after a number of a unit. The unit itself is as good as its binary
// or decimal neighbour.
func suffixes(of unit) []suffix {
	switch of {
	case megabytes:
		return []suffix{{"Ki", 1.0 / 1024}, {"Mi", 1}, {"Gi", 1024}, {"Ti", 1024 * 1024}, {"K", 0.001}, {"M", 1}, {"MB", 1}, {"G", 1000}, {"GB", 1000}, {"T", 1e6}}
	case gigabytes:
		return []suffix{{"Mi", 1.0 / 1024}, {"Gi", 1}, {"Ti", 1024}, {"M", 0.001}, {"MB", 0.001}, {"G", 1}, {"GB", 1}, {"T", 1000}, {"TB", 1000}}
	case cores:
		return []suffix{{"m", 0.001}}
	case seconds:
		return []suffix{{"ms", 0.001}, {"s", 1}, {"m", 60}, {"h", 3600}}
	}
	return nil
}

func (c *checker) textMap(v tree.Value) {
	if v.IsList() {
		c.fail(v, "cannot use a list: write NAME: value, each on a line")
		return
	}
	if !v.IsObject() {
		c.fail(v, "cannot use %s as strings by name: write NAME: value, each on a line", v.Describe())
		return
	}
	for _, value := range v.Fields() {
		switch {
		case value.Field("value_from").Is() || value.Field("valueFrom").Is():
			c.fail(value, "cannot use an object as a string: a value from a secret is written tfy-secret://TENANT:GROUP:KEY")
		case value.Is():
			c.text(value, field{})
		default:
			c.idle(value, "it is null, so it is not set")
		}
	}
}
