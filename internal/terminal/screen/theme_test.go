package screen

import (
	"math"
	"strconv"
	"strings"
	"testing"
)

// backgrounds are those that terminals usually have: black, and what six schemes take.
var backgrounds = map[string][][3]float64{
	"dark":  {{0, 0, 0}, {0x1e, 0x1e, 0x1e}, {0x28, 0x2a, 0x36}, {0x00, 0x2b, 0x36}, {0x28, 0x28, 0x28}, {0x2e, 0x34, 0x40}},
	"light": {{255, 255, 255}, {0xfd, 0xf6, 0xe3}, {0xfa, 0xfa, 0xfa}, {0xfb, 0xf1, 0xc7}, {0xf2, 0xf2, 0xf2}, {0xef, 0xf1, 0xf5}},
}

// TestContrast: every text can be read on the usual backgrounds and on the selection, by the rule
// of WCAG 2.2: 4.5, and 3 for the large share of what is only drawn.
func TestContrast(t *testing.T) {
	for _, theme := range []Theme{Dark(), Light()} {
		grounds := append([][3]float64{}, backgrounds[theme.name]...)
		grounds = append(grounds, colour(t, strings.TrimPrefix(theme.selection, "48;5;")))
		for role := Muted; role < Rule; role++ {
			text := colour(t, strings.TrimPrefix(theme.codes[role], "38;5;"))
			lowest := math.Inf(1)
			for _, ground := range grounds {
				lowest = min(lowest, contrast(text, ground))
			}
			t.Logf("%s role %d: lowest %.1f", theme.name, role, lowest)
			if lowest < 4.5 {
				t.Errorf("%s: role %d has contrast %.2f on some ground, want 4.5", theme.name, role, lowest)
			}
		}
	}
}

// colour is an index of the palette of 256 colours as red, green and blue.
func colour(t *testing.T, index string) [3]float64 {
	t.Helper()
	n, err := strconv.Atoi(index)
	if err != nil || n < 16 {
		t.Fatalf("%q is not an index whose colour is the same everywhere", index)
	}
	if n >= 232 {
		grey := float64(8 + 10*(n-232))
		return [3]float64{grey, grey, grey}
	}
	level := func(i int) float64 {
		if i == 0 {
			return 0
		}
		return float64(55 + 40*i)
	}
	n -= 16
	return [3]float64{level(n / 36), level(n / 6 % 6), level(n % 6)}
}

func contrast(a, b [3]float64) float64 {
	la, lb := luminance(a), luminance(b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

func luminance(c [3]float64) float64 {
	linear := func(v float64) float64 {
		if v /= 255; v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c[0]) + 0.7152*linear(c[1]) + 0.0722*linear(c[2])
}

// TestASCII: a sign of this program in ASCII is as wide as it was.
func TestASCII(t *testing.T) {
	theme := Plain().ASCII()
	for _, text := range []string{marks, "●◐◌◷✖▼⊖✓▌…─━┄“”↑↓›→×•", "漢字 é 👩"} {
		if got := theme.sign(text); !isASCII(got) || widthOf(got) != widthOf(text) {
			t.Errorf("%q becomes %q", text, got)
		}
	}
}

// TestASCIIStrip: where there was no attempt a strip is empty in ASCII, and not a line of signs
// that mean something else.
func TestASCIIStrip(t *testing.T) {
	s := hung(3)
	s.Pods[0].Readiness, s.Pods[0].Liveness = Strip{}, Strip{}
	s.Pods[0].Readiness.Add(noon, TimedOut)
	var v View
	frame := stripAll(v.Frame(s, 80, 24, Plain().ASCII()))
	if want := "pz4vd  " + strings.Repeat(" ", 19) + "T  2/3"; !strings.Contains(frame, want) {
		t.Errorf("%q is not in\n%s", want, frame)
	}
	if !strings.Contains(frame, "timeout 1 s - GET /livez - 2/3") {
		t.Errorf("pieces of a reason are not parted in\n%s", frame)
	}
}
