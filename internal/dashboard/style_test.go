package dashboard

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// luminance is that of a colour such as #1a57b0, as WCAG defines it.
func luminance(t *testing.T, colour string) (l float64) {
	t.Helper()
	n, err := strconv.ParseUint(strings.TrimPrefix(colour, "#"), 16, 32)
	if err != nil {
		t.Fatalf("%q is no colour", colour)
	}
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		c := float64(n>>(16-8*i)&255) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		l += weight * c
	}
	return l
}

func contrast(t *testing.T, a, b string) float64 {
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// TestContrast: in both themes every text can be read on every ground that it stands on, and every
// mark told from its ground. axe leaves out what is in pictures.
func TestContrast(t *testing.T) {
	css := string(newStaticFiles().files["app.css"].plain)
	light, dark := css[:strings.Index(css, "@media (prefers-color-scheme: dark)")], css[strings.Index(css, "@media (prefers-color-scheme: dark)"):]
	dark = dark[:strings.Index(dark, "} }")]
	for theme, rules := range map[string]string{"light": light, "dark": dark} {
		tokens := map[string]string{}
		for _, m := range regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{6});`).FindAllStringSubmatch(rules, -1) {
			tokens[m[1]] = m[2]
		}
		check := func(least float64, grounds []string, names ...string) {
			for _, name := range names {
				for _, ground := range grounds {
					if tokens[name] == "" || tokens[ground] == "" {
						t.Fatalf("%s: there is no token %s or %s", theme, name, ground)
					}
					if got := contrast(t, tokens[name], tokens[ground]); got < least {
						t.Errorf("%s: %s on %s has a contrast of %.2f, less than %.1f", theme, name, ground, got, least)
					}
				}
			}
		}
		grounds := []string{"surface", "bg", "sunken"}
		states := []string{"ok", "bad", "warn", "wait", "stop", "idle"}
		check(4.5, grounds, append(states, "text", "muted", "accent")...)
		check(4.5, []string{"accent"}, "on-accent")
		check(3, []string{"surface"}, "edge")
		check(4.5, []string{"accent-soft"}, "text", "muted")
		for _, s := range states {
			check(3, []string{"surface"}, s+"-fill")
			check(4.5, []string{s + "-soft"}, s, "text")
		}
	}
}
