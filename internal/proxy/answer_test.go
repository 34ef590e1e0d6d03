package proxy

import "testing"

func TestWantsJSON(t *testing.T) {
	for accept, want := range map[string]bool{
		"": false, "*/*": false, "application/json": true, "text/html,application/json": false, "application/json, text/plain, */*": true,
		"application/problem+json": true, "text/plain": false, "nonsense; ;": false,
	} {
		if got := wantsJSON([]string{accept}); got != want {
			t.Errorf("%q: %v, want %v", accept, got, want)
		}
	}
}
