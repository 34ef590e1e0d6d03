package cli

import (
	"testing"

	"github.com/probity-run/probity/internal/drill"
	"github.com/probity-run/probity/internal/tune/measure"
)

// TestDrillTakesRequestsOfTune: what tune reads and prints again is what a drill reads.
func TestDrillTakesRequestsOfTune(t *testing.T) {
	for _, text := range []string{"/results", "GET /", " DELETE  /results/7?soft=true", `POST /compute {"x": [1, 2]}`, "PUT /name a b "} {
		asked, err := measure.ParseRequest(text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := drill.ParseRequest(asked.Text())
		if err != nil || got.Method != asked.Method || got.Path != asked.Path || got.Body != asked.Body {
			t.Errorf("%q is %q for a drill, which reads %+v (%v), want %+v", text, asked.Text(), got, err, asked)
		}
	}
}
