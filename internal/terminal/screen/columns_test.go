package screen

import (
	"strings"
	"testing"

	"github.com/probity-run/probity/internal/diagnosis"
)

func linesOf(v *View, s *State, width, height int) []string {
	return strings.Split(stripAll(v.Frame(s, width, height, Plain())), "\n")
}

// TestColumnsDoNotTouch: what stands beside a long text is parted from it, at every size.
func TestColumnsDoNotTouch(t *testing.T) {
	const address, pod = "127.101.241.121:65269", "calculator-5df6d9bf87-nwdl9"
	s := full(hung(3))
	s.Services[0].Name, s.Services[0].Address = "a-very-long-name-of-a-service", address
	s.Services[0].Endpoints = []Endpoint{{Address: address, Pod: pod, Ready: true}}
	s.Details.Probes = append(s.Details.Probes, Probe{Name: "metrics-exporter readiness", Counter: "in", Asks: "GET /"})
	for _, size := range sizes {
		services, details := &View{}, &View{}
		press(services, s, "s")
		press(details, s, "enter")
		text := strings.Join(append(linesOf(services, s, size[0], size[1]), linesOf(details, s, size[0], 50)...), "\n")
		for _, both := range []string{"service" + address, address + "calc", "…" + address, "readiness·", "…·"} {
			if strings.Contains(text, both) {
				t.Errorf("at %d columns there is %q:\n%s", size[0], both, text)
			}
		}
	}
}

// TestNamesOfProbes: where a Pod has several containers, the kind of a probe is not cut off.
func TestNamesOfProbes(t *testing.T) {
	s := full(hung(3))
	s.Details.Probes = []Probe{{Name: "wide readiness"}, {Name: "bad startup"}, {Name: "bad liveness"}}
	v := &View{}
	press(v, s, "enter")
	text := strings.Join(linesOf(v, s, 80, 24), "\n")
	for _, p := range s.Details.Probes {
		if !strings.Contains(text, p.Name+" ") {
			t.Errorf("%q is not in\n%s", p.Name, text)
		}
	}
}

// TestWorkloadGone: Pods of a workload that is gone, as at the end of a run, have no headline, and
// no empty line in its place.
func TestWorkloadGone(t *testing.T) {
	s := rollout(3)
	s.Workloads = nil
	for i := range s.Pods {
		s.Pods[i].Diagnosis = diagnosis.Diagnosis{State: diagnosis.Stopping, Reason: "SIGKILL in 0:06", Check: "0:06", Cause: "stopping"}
	}
	lines := linesOf(&View{}, s, 80, 24)
	if !strings.Contains(lines[3], "▼ Stopping") {
		t.Errorf("below the heads there is %q", lines[3])
	}
}

// TestCompletePods: Pods that have done their work are not waited for.
func TestCompletePods(t *testing.T) {
	s := hung(3)
	s.Pods[0].Diagnosis = diagnosis.Diagnosis{State: diagnosis.Complete}
	if head := linesOf(&View{}, s, 80, 24)[0]; !strings.Contains(head, "● 2/2 ready") {
		t.Errorf("the header is %q", head)
	}
	for i := range s.Pods {
		s.Pods[i].Diagnosis = diagnosis.Diagnosis{State: diagnosis.Complete}
	}
	if head := linesOf(&View{}, s, 80, 24)[0]; !strings.Contains(head, "● 0/0 ready") {
		t.Errorf("the header is %q", head)
	}
}
