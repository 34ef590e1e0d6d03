package attach

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/probity-run/probity/internal/drill"
)

// TestEndpointDelay: what is asked for arrives, none included.
func TestEndpointDelay(t *testing.T) {
	for _, delay := range []time.Duration{-1, 0, 300 * time.Millisecond} {
		asked := drill.Options{Rate: 20, Repetitions: 1, Budget: time.Minute, EndpointDelay: delay}
		data, err := json.Marshal(RequestOf(asked))
		if err != nil {
			t.Fatal(err)
		}
		var r Request
		var got drill.Options
		if err := json.Unmarshal(data, &r); err != nil {
			t.Fatal(err)
		}
		err = r.addTo(&got)
		if err != nil || max(got.EndpointDelay, 0) != max(delay, 0) || got.EndpointDelay < 0 != (delay < 0) {
			t.Errorf("%v arrives as %v, %v", delay, got.EndpointDelay, err)
		}
	}
}
