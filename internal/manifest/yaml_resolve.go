package manifest

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/probity-run/probity/internal/printable"
)

const quotedStyles = yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle

var yamlFloat = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)

// resolve returns what a scalar is to Kubernetes: nil, a bool, an int64, a uint64, a float64 or a
// string.
//
// Kubernetes reads plain scalars by the rules of YAML 1.1 (through sigs.k8s.io/yaml), where yes,
// no, on, off, y and n are booleans and 0644 is octal. The parser here follows other rules, so what
// it finds is not used. A tag must fit.
func resolve(n *yaml.Node) (any, error) {
	tag := ""
	if n.Style&yaml.TaggedStyle != 0 {
		tag = n.ShortTag()
	}
	if tag == "!!str" || tag == "" && n.Style&quotedStyles != 0 {
		return n.Value, nil
	}
	v := resolvePlain(n.Value)
	fits := tag == ""
	switch x := v.(type) {
	case nil:
		fits = fits || tag == "!!null"
	case bool:
		fits = fits || tag == "!!bool"
	case int64:
		if tag == "!!float" {
			return float64(x), nil
		}
		fits = fits || tag == "!!int"
	case uint64:
		fits = fits || tag == "!!int"
	case float64:
		fits = fits || tag == "!!float"
	case string:
		// JSON has a number there, YAML without the tag a string
		if n.ShortTag() == "!!float" && isTooLarge(x) {
			return nil, fmt.Errorf("the number %s is too large", printable.Cut(x))
		}
	}
	if !fits {
		return nil, fmt.Errorf("the tag %s is not supported for %s", printable.Cut(tag), printable.Quote(n.Value))
	}
	return v, nil
}

// isTooLarge reports whether a text is a number that no float64 holds.
func isTooLarge(text string) bool {
	_, err := strconv.ParseFloat(text, 64)
	return errors.Is(err, strconv.ErrRange)
}

func resolvePlain(s string) any {
	if s == "" {
		return nil
	}
	switch s[0] {
	case '+', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return resolveNumber(s)
	case '.':
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			return f
		}
		return resolveWord(s)
	}
	return resolveWord(s)
}

// resolveWord follows the table of YAML 1.1: each word in lower case, capitalized and in upper
// case.
func resolveWord(s string) any {
	switch lower := strings.ToLower(s); {
	case s != lower && s != strings.ToUpper(s) && s != strings.ToUpper(s[:1])+lower[1:]:
		return s
	case lower == "~", lower == "null":
		return nil
	case lower == "y", lower == "yes", lower == "on", lower == "true":
		return true
	case lower == "n", lower == "no", lower == "off", lower == "false":
		return false
	}
	return resolveSpecial(s)
}

func resolveSpecial(s string) any {
	switch s {
	case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", ".nan", ".NaN", ".NAN":
		f, err := strconv.ParseFloat(strings.Replace(s, ".", "", 1), 64)
		if err == nil {
			return f
		}
	}
	return s
}

func resolveNumber(s string) any {
	plain := strings.ReplaceAll(s, "_", "")
	if i, err := strconv.ParseInt(plain, 0, 64); err == nil {
		return i
	}
	if u, err := strconv.ParseUint(plain, 0, 64); err == nil {
		return u
	}
	if yamlFloat.MatchString(plain) {
		if f, err := strconv.ParseFloat(plain, 64); err == nil {
			return f
		}
	}
	if i, ok := resolveSigned(plain); ok {
		return i
	}
	return resolveSpecial(s)
}

// resolveSigned reads a sign between the prefix of a binary number and its digits, which YAML does
// not know and kubectl's library lets pass.
func resolveSigned(plain string) (int64, bool) {
	digits, binary := strings.CutPrefix(plain, "0b")
	if !binary {
		return 0, false
	}
	i, err := strconv.ParseInt(digits, 2, 64)
	return i, err == nil
}
