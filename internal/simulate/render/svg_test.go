package render

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/probity-run/probity/internal/simulate"
	"github.com/probity-run/probity/internal/simulate/script"
	"github.com/probity-run/probity/internal/simulate/simulatetest"
)

// written is a text of a picture and where it stands.
type written struct {
	text     string
	x1, x2   float64
	y        float64
	anchored string
}

// texts parses a picture and lists what is written in it.
func texts(t *testing.T, picture []byte) (all []written) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(picture))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("not XML: %v", err)
		}
		start, ok := token.(xml.StartElement)
		if !ok || start.Name.Local != "text" {
			continue
		}
		var text string
		if err := d.DecodeElement(&text, &start); err != nil {
			t.Fatal(err)
		}
		w := written{text: text}
		for _, a := range start.Attr {
			n, _ := strconv.ParseFloat(a.Value, 64) // other attributes are no numbers, and not used
			switch a.Name.Local {
			case "x":
				w.x1 = n
			case "y":
				w.y = n
			case "class":
				w.anchored = a.Value
			}
		}
		width := textWidth(text)
		classes := strings.Fields(w.anchored)
		switch {
		case slices.Contains(classes, "fact"):
			width = factChar * float64(len([]rune(text)))
		case slices.Contains(classes, "title"):
			width = titleChar * float64(len([]rune(text)))
		case slices.Contains(classes, "e"):
			w.x1 -= width
		case slices.Contains(classes, "c"):
			w.x1 -= width / 2
		}
		w.x2 = w.x1 + width
		all = append(all, w)
	}
}

func TestPicture(t *testing.T) {
	for name, c := range map[string]struct {
		manifest string
		script   *script.Script
		horizon  time.Duration
		want     []string
	}{
		"hang":    {simulatetest.Deployment, simulatetest.Script(t, "slow-start=12s", "hang@60s"), 5 * time.Minute, []string{"web-1", "web-3", "startup", "hang@60s", "killed by liveness", "stopping", "nobody", "3/3 ready", "2/3"}},
		"crash":   {simulatetest.Deployment, simulatetest.Script(t, "crash-loop=20s"), 30 * time.Minute, []string{"back-off", "exited, code 1", "restart loop certain: web of deployment/web, its process ends by itself, 20s after each start", "restart 3</title>"}},
		"rollout": {simulatetest.Deployment, simulatetest.Script(t, "rollout@60s", "slow-start=20s"), 5 * time.Minute, []string{"rollout@60s", "starting", "web-6", "3/4 ready"}},
		"month":   {simulatetest.DefaultProbes, simulatetest.Script(t, "gc-stall=8s/1h"), 30 * script.Day, []string{"30d", "ready pods"}},
		"names":   {manyWorkloads(), simulatetest.Script(t, "hang@60s", "slow-start=25s"), 5 * time.Minute, []string{"number-11", "<title>the-server-of-this-pod-and-of-no-other</title>", "restart 1</title>"}},
		"escaped": {simulatetest.DefaultProbes, &script.Script{Faults: []script.Fault{{Kind: script.FaultHang, Name: `<b>&"`, At: new(script.Fixed(time.Minute))}}}, 5 * time.Minute, []string{`<b>&"`}},
	} {
		t.Run(name, func(t *testing.T) {
			r := simulated(t, c.manifest, c.script, simulate.Options{Horizon: c.horizon})
			var b bytes.Buffer
			if err := SVG(&b, r, 100); err != nil {
				t.Fatal(err)
			}
			all := texts(t, b.Bytes())
			for _, want := range c.want {
				if !strings.Contains(b.String(), escaped(want)) && !strings.Contains(b.String(), want) {
					t.Errorf("%q is not in the picture", want)
				}
			}
			for i, a := range all {
				if a.x1 < 0 || a.x2 > svgWidth+4 {
					t.Errorf("%q reaches over the edge: %.0f to %.0f", a.text, a.x1, a.x2)
				}
				for _, b := range all[:i] {
					if a.y == b.y && a.x1 < b.x2 && b.x1 < a.x2 {
						t.Errorf("%q and %q run into each other", a.text, b.text)
					}
				}
			}
			if n := b.Len(); n > 400_000 {
				t.Errorf("%d bytes", n)
			}
			if strings.Contains(b.String(), "NaN") || strings.Contains(b.String(), "http") && strings.Count(b.String(), "http://") != 1+strings.Count(b.String(), "Get &#34;http://") {
				t.Error("the picture needs something from elsewhere, or has no numbers")
			}
		})
	}
}
