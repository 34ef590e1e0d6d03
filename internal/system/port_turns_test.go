package system

import (
	"os"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/registry"
	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/internal/workload"
)

// claimsFixture is the claims of one Pod, frontend, which declares 8080.
type claimsFixture struct {
	t      *testing.T
	claims *portClaims
	pod    *corev1.Pod
	pods   map[types.NamespacedName]*corev1.Pod
	held   bool // whether Probity has the number
}

func newClaimsFixture(t *testing.T) *claimsFixture {
	t.Helper()
	root, err := os.OpenRoot(folder(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "frontend", UID: "1"},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Name: "app", Command: []string{"server"}, Ports: []corev1.ContainerPort{{ContainerPort: 8080}},
		}}},
	}
	fx := &claimsFixture{t: t, pod: pod, pods: map[types.NamespacedName]*corev1.Pod{{Namespace: "default", Name: "frontend"}: pod}}
	fx.claims = newPortClaims(registry.New(registry.Options{Store: store.New(store.Options{})}), root, 10*time.Second, func(line string) { t.Error(line) })
	fx.set()
	return fx
}

func (fx *claimsFixture) set() {
	d := declaredPorts{
		origin:  workload.Origin{Kind: "Pod", Name: types.NamespacedName{Namespace: "default", Name: "frontend"}},
		program: programKey(fx.pod), since: time.Now(), obeys: map[int32]bool{8080: false},
	}
	fx.claims.mu.Lock()
	defer fx.claims.mu.Unlock()
	fx.claims.bySource["x"] = []declaredPorts{d}
}

// expect checks what is claimed, and for how long.
func (fx *claimsFixture) expect(when string, want workload.PortUse, wait time.Duration) {
	fx.t.Helper()
	claims, got := fx.claims.now(fx.pods)
	if claims[8080].Use != want || got != wait {
		fx.t.Errorf("%s: use %d for %v, want %d for %v", when, claims[8080].Use, got, want, wait)
	}
}

func (fx *claimsFixture) start() { fx.claims.starting(fx.pod, "app") }

func (fx *claimsFixture) end(failed bool) {
	fx.claims.ended(fx.pod, "app", failed, func(int32) bool { return fx.held })
}

func (fx *claimsFixture) show(annotation, value string) {
	metav1.SetMetaDataAnnotation(&fx.pod.ObjectMeta, annotation, value)
}

// TestPodsTurn: no Service waits for ever for a program that never listens, and a program that
// finds its number taken gets it at its next start.
func TestPodsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newClaimsFixture(t)
		fx.expect("added", workload.PortUnseen, 10*time.Second)
		time.Sleep(10 * time.Second) // an init container waits for a Service with this number
		fx.expect("not started for 10 s", workload.PortUnused, 0)
		fx.start()
		fx.expect("started", workload.PortUnseen, 10*time.Second)
		fx.end(true)
		fx.expect("failed, as the Service did not answer", workload.PortUnused, 0)
		fx.start()
		fx.expect("started again", workload.PortUnused, 0)
		fx.held = true
		fx.end(true)
		fx.start()
		fx.expect("failed as the number was taken, and started", workload.PortUnseen, 20*time.Second)
		time.Sleep(15 * time.Second)
		fx.show(manifest.AnnotationBound, "8080=0.0.0.0")
		fx.expect("listens", workload.PortEverywhere, 0)
	})
}

// TestNoProcess: a start that came to nothing was no turn.
func TestNoProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newClaimsFixture(t)
		time.Sleep(time.Minute)
		fx.start()
		fx.claims.notStarted(fx.pod, "app")
		fx.expect("not started", workload.PortUnused, 0)
		fx.start()
		fx.expect("started", workload.PortUnseen, 10*time.Second)
	})
}

// TestObedienceIsOfTheProgram: what was noted of one program is not taken to be true of another one
// of the same object, and is forgotten when the program fails while Probity has its number.
func TestObedienceIsOfTheProgram(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newClaimsFixture(t)
		fx.start()
		fx.show(manifest.AnnotationListening, "8080")
		fx.expect("heeds PORT", workload.PortFree, 0)

		next := func(uid types.UID, command string) {
			fx.pod = fx.pod.DeepCopy()
			fx.pod.UID, fx.pod.Annotations, fx.pod.Spec.Containers[0].Command = uid, nil, []string{command}
			fx.pods = map[types.NamespacedName]*corev1.Pod{{Namespace: "default", Name: "frontend"}: fx.pod}
			fx.set()
		}
		next("2", "server")
		fx.start()
		fx.expect("the same program", workload.PortFree, 0)
		next("3", "other")
		fx.expect("another program", workload.PortUnseen, 10*time.Second)
		fx.start()
		fx.expect("another program, started", workload.PortUnseen, 10*time.Second)

		next("4", "server")
		fx.start()
		fx.held = true
		fx.end(true)
		fx.start()
		fx.expect("failed while its number was taken", workload.PortUnseen, 20*time.Second)
		var noted obedienceNote
		if err := readNote(fx.claims.root, obedienceName, &noted); err != nil || len(noted.Obeys[programKey(fx.pod)]) > 0 {
			t.Errorf("noted: %v, error %v", noted, err)
		}
	})
}
