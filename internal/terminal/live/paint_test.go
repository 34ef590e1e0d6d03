package live

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/terminal/screen"
)

// glass is a terminal that obeys what a painter writes, and nothing else.
type glass struct {
	cells [][]string // with their looks
	x, y  int
	look  string
	// narrow is a sign that takes one column here, whatever others say.
	narrow rune
}

func newGlass(width, height int) *glass {
	g := &glass{}
	for range height {
		g.cells = append(g.cells, slices.Repeat([]string{" "}, width))
	}
	return g
}

func (g *glass) obey(t *testing.T, out string) {
	t.Helper()
	for len(out) > 0 {
		if rest, ok := strings.CutPrefix(out, "\x1b["); ok {
			end := strings.IndexFunc(rest, func(r rune) bool { return r >= '@' })
			g.sequence(t, rest[:end], rest[end])
			out = rest[end+1:]
			continue
		}
		r, size := utf8.DecodeRuneInString(out)
		g.put(t, r)
		out = out[size:]
	}
	if g.look != "" {
		t.Fatalf("the look %q stays", g.look)
	}
}

func (g *glass) sequence(t *testing.T, arguments string, command byte) {
	t.Helper()
	switch command {
	case 'H':
		g.x, g.y = 0, 0
		if arguments != "" {
			if _, err := fmt.Sscanf(arguments, "%d;%d", &g.y, &g.x); err != nil {
				t.Fatal(arguments, err)
			}
			g.x, g.y = g.x-1, g.y-1
		}
	case 'J':
		g.cells = newGlass(len(g.cells[0]), len(g.cells)).cells
	case 'K': // in the last column, too, if that has just been written
		for x := min(g.x, len(g.cells[g.y])-1); x < len(g.cells[g.y]); x++ {
			g.cells[g.y][x] = " "
		}
	case 'm':
		g.look = arguments
	default:
		t.Fatalf("nobody knows %q", command)
	}
}

func (g *glass) put(t *testing.T, r rune) {
	t.Helper()
	row := g.cells[g.y]
	width := printable.Width(string(r))
	if r == g.narrow {
		width = 1
	}
	switch {
	case width == 0:
		row[g.x-1] += string(r)
	case g.x+width > len(row):
		t.Fatalf("%q is behind the last column", r)
	default:
		row[g.x] = g.look + string(r)
		for i := 1; i < width; i++ {
			row[g.x+i] = ""
		}
		g.x += width
	}
}

func (g *glass) text() string {
	var lines []string
	for _, row := range g.cells {
		lines = append(lines, strings.Join(row, "|"))
	}
	return strings.Join(lines, "\n")
}

// TestPaint: whatever was shown before, the next frame is shown as on an empty terminal.
func TestPaint(t *testing.T) {
	const width, height = 12, 4
	r := rand.New(rand.NewPCG(1, 2))
	words := []string{"a", "bc", "   ", "漢", "e\u0301", "▁▂", "●", "…", "🙂", "✖ x"}
	looks := []string{"", "", "32", "1;31"}
	randomLine := func() string {
		var line strings.Builder
		for left := width; r.IntN(6) > 0; {
			word := words[r.IntN(len(words))]
			if left -= printable.Width(word); left < 0 {
				break
			}
			if look := looks[r.IntN(len(looks))]; look != "" {
				word = "\x1b[" + look + "m" + word + lookEnds
			}
			line.WriteString(word)
		}
		return line.String()
	}
	var p painter
	shown := newGlass(width, height)
	lines := []string{"", "", "", ""}
	for range 2000 {
		switch n := r.IntN(20); n {
		case 0:
			lines = lines[:1+r.IntN(len(lines))]
		case 1:
			p.forget()
		default:
			for len(lines) < height {
				lines = append(lines, randomLine())
			}
			lines[r.IntN(height)] = randomLine()
		}
		frame := strings.Join(lines, "\n")
		out := string(p.paint(nil, frame, width))
		shown.obey(t, out)
		want := newGlass(width, height)
		var fresh painter
		want.obey(t, string(fresh.paint(nil, frame, width)))
		if got := shown.text(); got != want.text() {
			t.Fatalf("after %q\n%s\nwant\n%s", out, got, want.text())
		}
		if again := p.paint(nil, frame, width); len(again) > 0 {
			t.Fatalf("what is shown is painted again: %q", again)
		}
	}
}

// TestPaintAsNarrow: a terminal for which a sign is narrower than for everybody else keeps nothing
// of the line before.
func TestPaintAsNarrow(t *testing.T) {
	const width = 12
	shown := newGlass(width, 1)
	shown.narrow = '漢'
	var p painter
	for _, line := range []string{"twelve signs", "漢 ten signs", "漢漢 8 signs", "漢", "漢 ten signs", "no wide sign"} {
		shown.obey(t, string(p.paint(nil, line, width)))
		got := strings.TrimRight(strings.ReplaceAll(shown.text(), "|", ""), " ")
		if got != line {
			t.Errorf("%q is shown, want %q", got, line)
		}
	}
}

// TestPaintLittle: what did not change is not written, unless terminals do not agree where it is.
func TestPaintLittle(t *testing.T) {
	for name, test := range map[string]struct{ before, after, want string }{
		"nothing":                  {"a \x1b[32mok\x1b[m b", "a \x1b[32mok\x1b[m b", ""},
		"a span":                   {"a \x1b[32mok\x1b[m b", "a \x1b[31mno\x1b[m b", "\x1b[1;3H\x1b[31mno\x1b[m"},
		"a text":                   {"\x1b[32mok\x1b[m 1 \x1b[32mok\x1b[m", "\x1b[32mok\x1b[m 2 \x1b[32mok\x1b[m", "\x1b[1;3H 2 "},
		"a longer line":            {"\x1b[32mok\x1b[m", "\x1b[32mok\x1b[m, well", "\x1b[1;3H, well\x1b[K"},
		"a shorter line":           {"\x1b[32mok\x1b[m, well", "\x1b[32mok\x1b[m", "\x1b[1;3H\x1b[K"},
		"up to the edge":           {"a", "twelve signs", "\x1b[1;1Htwelve signs"},
		"another line":             {"a\nb", "a\nc", "\x1b[2;1Hc"},
		"a line less":              {"a\nb", "a", "\x1b[2;1H\x1b[K"},
		"behind a wide sign":       {"\x1b[32m漢\x1b[m 1", "\x1b[32m漢\x1b[m 2", "\x1b[1;1H\x1b[K\x1b[32m漢\x1b[m 2"},
		"a wide sign and the edge": {"twelve signs", "漢 ten signs", "\x1b[1;1H\x1b[K漢 ten signs"},
		"no wide sign any more":    {"漢 ten signs", "twelve signs", "\x1b[1;1H\x1b[Ktwelve signs"},
	} {
		t.Run(name, func(t *testing.T) {
			var p painter
			p.paint(nil, test.before, 12)
			if got := string(p.paint(nil, test.after, 12)); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

// BenchmarkPaint is what it costs to show a second of probes on a terminal, from what was recorded.
func BenchmarkPaint(b *testing.B) {
	for _, size := range [][2]int{{80, 24}, {200, 50}} {
		b.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(b *testing.B) {
			f := newFleet()
			var view screen.View
			var p painter
			var out []byte
			written := 0
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				f.second()
				b.StartTimer()
				out = p.paint(out[:0], view.Frame(f.hub.gather(f.now), size[0], size[1], screen.Dark()), size[0])
				written += len(out)
			}
			b.ReportMetric(float64(written)/float64(b.N), "written/op")
		})
	}
}
