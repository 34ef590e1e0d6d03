package advisor

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// TestExpandIsBounded: a command that names a long variable a thousand times costs no memory.
func TestExpandIsBounded(t *testing.T) {
	c := &Container{Container: &corev1.Container{Env: []corev1.EnvVar{{Name: "DB", Value: "db.example"}, {Name: "LONG", Value: strings.Repeat("x", 1<<20)}}}}
	if got := c.expand("$(DB):$DB"); got != "db.example:db.example" {
		t.Errorf("expand = %q", got)
	}
	if got := len(c.expand(strings.Repeat("$(LONG)", 1000) + strings.Repeat("$(DB)", 1000))); got > 14_000 {
		t.Errorf("%d bytes were made of one word", got)
	}
}
