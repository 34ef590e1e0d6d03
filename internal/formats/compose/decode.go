package compose

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/manifest"
)

// decoder reads one service.
type decoder struct {
	*loader
	service *Service
	lookup  func(string) (string, bool)
}

func (d *decoder) isMapping(v *value, path Path) bool {
	if v.kind != mapping {
		d.fail(v.at, path, manifest.ReasonType, "must be a mapping, this is %s", v.what())
	}
	return v.kind == mapping
}

func (d *decoder) text(v *value, path Path, to *string) {
	if v.kind != scalar {
		d.fail(v.at, path, manifest.ReasonType, "must be a text, this is %s", v.what())
		return
	}
	*to = v.text
}

// printed reads a text that may be written as a number.
func (d *decoder) printed(v *value, path Path, to *string) {
	var written string
	if d.text(v, path, &written); written != "" {
		*to = v.printed
	}
}

// word reads a text, with its place.
func (d *decoder) word(v *value, path Path, to *Word) {
	to.At = v.at
	d.text(v, path, &to.Text)
}

func (d *decoder) duration(v *value, path Path, to *time.Duration) {
	if v.kind != scalar {
		d.fail(v.at, path, manifest.ReasonType, "must be a time such as 30s, this is %s", v.what())
		return
	}
	t, err := parseDuration(v.text)
	if err != nil {
		d.fail(v.at, path, manifest.ReasonType, "%v", err)
		return
	}
	*to = t
}

func (d *decoder) number(v *value, path Path, to *int) {
	if v.kind == scalar {
		if n, err := strconv.ParseFloat(v.printed, 64); err == nil && n >= 0 && n <= 1e6 && n == float64(int(n)) {
			*to = int(n)
			return
		}
	}
	d.fail(v.at, path, manifest.ReasonType, "must be a whole number that is not negative, this is %s", v.shown())
}

func (d *decoder) boolean(v *value, path Path, to *bool) {
	switch strings.ToLower(v.text) {
	case "true", "yes", "on", "y":
		*to = true
	case "false", "no", "off", "n":
		*to = false
	default:
		d.fail(v.at, path, manifest.ReasonType, "must be true or false, this is %s", v.shown())
	}
}

// shown is a value for a message.
func (v *value) shown() string {
	if v.kind == scalar {
		return strconv.Quote(v.text)
	}
	return v.what()
}

// words reads a list of texts.
func (d *decoder) words(v *value, path Path) (words []Word, ok bool) {
	ok = true
	for _, item := range v.items {
		if item.kind != scalar {
			d.fail(item.at, item.pathIn(path.Service), manifest.ReasonType, "must be a text, this is %s", item.what())
			ok = false
			continue
		}
		words = append(words, Word{item.text, item.at})
	}
	return words, ok
}

// commandLine reads a command: a list, or a text that is split as a shell does.
func (d *decoder) commandLine(v *value, path Path) []Word {
	switch v.kind {
	case list:
		words, _ := d.words(v, path)
		return words
	case scalar:
		words, err := manifest.SplitWords(v.text)
		if err != nil {
			d.fail(v.at, path, manifest.ReasonType, "cannot be split into words: %v", err)
		}
		var all []Word
		for _, w := range words {
			all = append(all, Word{w, v.at})
		}
		return all
	}
	d.fail(v.at, path, manifest.ReasonType, "must be a command line or a list of words, this is %s", v.what())
	return nil
}

// pairs reads a list of NAME=value or a mapping. Null, or a name alone, is asked of the
// environment, if it is one; a name that is not there is left out then.
func (d *decoder) pairs(v *value, path Path, isEnvironment bool) (pairs []Variable) {
	add := func(name string, at Place, text string, has bool) {
		if !has && isEnvironment {
			known, ok := d.lookup(name)
			if !ok {
				return
			}
			text = known
		}
		pairs = slices.DeleteFunc(pairs, func(old Variable) bool { return old.Name == name })
		pairs = append(pairs, Variable{name, text, at})
	}
	switch v.kind {
	case mapping:
		for _, e := range v.fields {
			if e.kind == list || e.kind == mapping {
				d.fail(e.value.at, path.field(e.key), manifest.ReasonType, "must be a text, a number, true, false or nothing, this is %s", e.what())
				continue
			}
			add(e.key, e.at, e.printed, e.kind == scalar)
		}
	case list:
		words, _ := d.words(v, path)
		for _, w := range words {
			name, text, has := strings.Cut(w.Text, "=")
			add(name, w.At, text, has)
		}
	default:
		d.fail(v.at, path, manifest.ReasonType, "must be a mapping, or a list of NAME=value, this is %s", v.what())
	}
	return pairs
}
