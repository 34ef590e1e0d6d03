package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/probity-run/probity/internal/deploy"
	"github.com/probity-run/probity/internal/kube"
)

// TestEndReason: programs need not read words to tell why nothing was deployed.
func TestEndReason(t *testing.T) {
	for want, err := range map[string]error{
		"unreachable":  fmt.Errorf("cannot ask it: %w", &kube.UnheardError{Server: "https://x", Err: errors.New("no")}),
		"unauthorized": badInput(fmt.Errorf("cannot ask it: %w", apierrors.NewUnauthorized("no"))),
		"conflict":     badInput(&deploy.ConflictError{}),
		"findings":     badInput(fmt.Errorf("nothing was sent: %w", &deploy.FoundError{})),
		"interrupted":  unknown(deploy.ErrInterrupted),
		"":             errors.New("it has no name"),
	} {
		var out bytes.Buffer
		o := deployOutput{streams: Streams{Out: &out}, json: true}
		o.end(codeOf(err), nil, err)
		var told struct{ Reason string }
		if err := json.Unmarshal(out.Bytes(), &told); err != nil || told.Reason != want {
			t.Errorf("it says %s, want the reason %q (%v)", &out, want, err)
		}
	}
}
