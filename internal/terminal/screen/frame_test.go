package screen

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden frames anew")

var (
	sizes   = [][2]int{{80, 24}, {120, 40}, {200, 50}, {40, 15}}
	escapes = regexp.MustCompile(`\x1b\[[0-9;]*m`)
)

// joined is a frame as one text, as if its lines had not been wrapped.
func joined(frame string) string {
	return strings.Join(strings.Fields(escapes.ReplaceAllString(frame, "")), " ")
}

// TestGoldenFrames: what is wrong with one, three and many replicas, at four sizes: the reason and
// the next step are on the screen, and the frame is as it was looked at.
func TestGoldenFrames(t *testing.T) {
	for _, scene := range scenes() {
		for _, replicas := range []int{1, 3, 35} {
			for _, size := range sizes {
				name := fmt.Sprintf("%s-%d-%dx%d", scene.name, replicas, size[0], size[1])
				t.Run(name, func(t *testing.T) {
					var v View
					frame := v.Frame(scene.make(replicas), size[0], size[1], Plain())
					text := joined(frame)
					for _, want := range []string{scene.reason, scene.next} {
						if !strings.Contains(text, want) {
							t.Errorf("%q is not on the screen:\n%s", want, frame)
						}
					}
					golden(t, filepath.Join("testdata", name+".txt"), picture(scene.make(replicas), size[0], size[1]))
				})
			}
		}
	}
}

// picture is the text of a frame and below it the roles, a letter for each column that has one.
func picture(s *State, width, height int) string {
	var v View
	text := strings.Split(escapes.ReplaceAllString(v.Frame(s, width, height, Plain()), ""), "\n")
	v = View{}
	masks := strings.Split(v.Frame(s, width, height, letters()), "\n")
	var b strings.Builder
	for _, l := range text {
		b.WriteString(strings.TrimRight(l, " ") + "\n")
	}
	b.WriteString(strings.Repeat("-", width) + "\n")
	for _, m := range masks {
		b.WriteString(mask(m) + "\n")
	}
	return b.String()
}

// letters is a theme whose sequences name the roles.
func letters() Theme {
	t := Theme{name: "letters", selection: "30"}
	for role := range roles {
		t.codes[role] = itoa(40 + role)
	}
	return t
}

// mask replaces each column of a line by the letter of its role: muted, accent, ok, bad, warn,
// wait, stop, rule; a capital one if it is bold.
func mask(l string) string {
	const names = ".maobwtsr"
	var b strings.Builder
	for l != "" {
		_, rest, ok := strings.Cut(l, "\x1b[")
		if !ok {
			break
		}
		codes, rest, _ := strings.Cut(rest, "m")
		text, rest, _ := strings.Cut(rest, "\x1b[m")
		letter := "."
		for code := range strings.SplitSeq(codes, ";") {
			for role := range roles {
				if code == itoa(40+role) {
					letter = names[role : role+1]
				}
			}
		}
		if strings.HasPrefix(codes, "1;") {
			letter = strings.ToUpper(letter)
			if letter == "." {
				letter = "^"
			}
		}
		b.WriteString(strings.Repeat(letter, widthOf(text)))
		l = rest
	}
	return strings.TrimRight(b.String(), ".")
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; go test -update writes it", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("the frame has changed; look at it, then go test -update writes it anew (-want +got):\n%s", diff)
	}
}
