package manifest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPeerAuthentication(t *testing.T) {
	const text = "apiVersion: security.istio.io/v1beta1\nkind: PeerAuthentication\nmetadata: {name: a, namespace: b}\n" +
		"spec:\n  selector: {matchLabels: {app: web}}\n  mtls: {mode: STRICT}\n  portLevelMtls: {8080: {mode: DISABLE}}\nstatus: {observedGeneration: '1'}\n"
	set, err := DecodeLenient(Options{}, "a.yaml", []byte(text))
	if err != nil || len(set.Objects) != 1 || len(set.Objects[0].Problems) > 0 {
		t.Fatalf("%+v, %v", set, err)
	}
	p, ok := set.Objects[0].Resource.(*PeerAuthentication)
	if !ok {
		t.Fatalf("it is a %T", set.Objects[0].Resource)
	}
	want := PeerAuthenticationSpec{&PeerSelector{map[string]string{"app": "web"}}, &MutualTLS{"STRICT"}, map[string]MutualTLS{"8080": {"DISABLE"}}}
	if diff := cmp.Diff(want, p.Spec); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	c := p.DeepCopyObject().(*PeerAuthentication)
	if diff := cmp.Diff(p, c); diff != "" {
		t.Errorf("the copy differs: %s", diff)
	}
	c.Spec.Selector.MatchLabels["app"], c.Spec.Mtls.Mode, c.Spec.PortLevelMtls["8080"] = "x", "x", MutualTLS{"x"}
	if diff := cmp.Diff(want, p.Spec); diff != "" {
		t.Errorf("a change of the copy changes the original: %s", diff)
	}
}
