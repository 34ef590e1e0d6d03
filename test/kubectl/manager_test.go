//go:build kubectl

package kubectl

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-logr/logr"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/tools/record"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

// color is the annotation of a Service that the reconciler carries into a ConfigMap.
const color = "example.com/color"

// reconciler keeps a ConfigMap for each Service, says in the Service's status that it does, and
// records it: most of what a controller does.
type reconciler struct {
	client.Client
	old   record.EventRecorder
	new   events.EventRecorder
	count atomic.Int64
}

// Reconcile is called for each change of a Service or of its ConfigMap.
func (r *reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	r.count.Add(1)
	var service corev1.Service
	if err := r.Get(ctx, request.NamespacedName, &service); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	owned := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: service.Namespace, Name: service.Name}}
	result, err := controllerutil.CreateOrUpdate(ctx, r.Client, owned, func() error {
		owned.Data = map[string]string{"color": service.Annotations[color]}
		return controllerutil.SetControllerReference(&service, owned, r.Scheme())
	})
	if err != nil {
		return ctrl.Result{}, err
	}
	if result != controllerutil.OperationResultNone {
		r.old.Eventf(&service, corev1.EventTypeNormal, "Kept", "ConfigMap is %s", result)
		r.new.Eventf(&service, owned, corev1.EventTypeNormal, "Kept", "Keep", "ConfigMap is %s", result)
	}
	condition := metav1.Condition{Type: "Kept", Status: metav1.ConditionTrue, Reason: "Kept", Message: service.Annotations[color]}
	if meta.SetStatusCondition(&service.Status.Conditions, condition) {
		return ctrl.Result{}, r.Status().Update(ctx, &service)
	}
	return ctrl.Result{}, nil
}

// TestManager runs a manager of controller-runtime with leader election, as an operator under
// development does: it has to lead, to see each change, to write what it owns, and not to turn
// round and round by its own writes.
func TestManager(t *testing.T) {
	c := connect(t)
	r, start := newManager(t, c)
	services := c.typed.CoreV1().Services(c.namespace)
	service := must(services.Create(t.Context(), &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "a", Annotations: map[string]string{color: "red"}},
		Spec:       corev1.ServiceSpec{ClusterIP: corev1.ClusterIPNone, Ports: []corev1.ServicePort{{Port: 80}}},
	}, metav1.CreateOptions{}))(t)
	start()
	kept := func(want string) func() bool {
		return func() bool {
			owned, err := c.typed.CoreV1().ConfigMaps(c.namespace).Get(t.Context(), "a", metav1.GetOptions{})
			if err != nil || owned.Data["color"] != want || !metav1.IsControlledBy(owned, service) {
				return false
			}
			now, err := services.Get(t.Context(), "a", metav1.GetOptions{})
			condition := meta.FindStatusCondition(now.Status.Conditions, "Kept")
			return err == nil && condition != nil && condition.Message == want
		}
	}
	eventually(t, "the ConfigMap is made", kept("red"))

	for _, want := range []string{"green", "blue"} {
		patch := fmt.Appendf(nil, `{"metadata":{"annotations":{%q:%q}}}`, color, want)
		must(services.Patch(t.Context(), "a", types.MergePatchType, patch, metav1.PatchOptions{}))(t)
		eventually(t, "the ConfigMap is "+want, kept(want))
	}
	configMaps := c.typed.CoreV1().ConfigMaps(c.namespace)
	must(configMaps.Patch(t.Context(), "a", types.MergePatchType, []byte(`{"data":{"color":"white"}}`), metav1.PatchOptions{}))(t)
	eventually(t, "the ConfigMap is as it was", kept("blue"))
	if err := configMaps.Delete(t.Context(), "a", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the ConfigMap is there again", kept("blue"))

	checkLease(t, c) // which takes two seconds, in which one who turns round and round comes far
	checkEvents(t, c)
	// each of the five changes, what is written of it to the ConfigMap, and to the status
	n := r.count.Load()
	t.Logf("%d reconciliations", n)
	if n > 3*5 {
		t.Errorf("%d reconciliations of five changes, want 15 at most", n)
	}
	if err := services.Delete(t.Context(), "a", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if os.Getenv(bareVariable) != "" {
		return
	}
	eventually(t, "what is owned goes with its owner", func() bool {
		_, err := configMaps.Get(t.Context(), "a", metav1.GetOptions{})
		return client.IgnoreNotFound(err) == nil && err != nil
	})
}

// newManager makes a manager; start runs it to the end of the test, which joins it.
func newManager(t *testing.T, c clients) (*reconciler, func()) {
	t.Helper()
	output := &buffer{}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the manager said:\n%s", output)
		}
	})
	log.SetLogger(logr.Discard()) // what does not belong to the manager
	manager := must(ctrl.NewManager(c.config, ctrl.Options{
		Logger:         zap.New(zap.WriteTo(output)),
		LeaderElection: true, LeaderElectionID: "test.example.com", LeaderElectionNamespace: c.namespace, LeaderElectionReleaseOnCancel: true,
		Metrics: metricsserver.Options{BindAddress: "0"},
		Cache:   cache.Options{DefaultNamespaces: map[string]cache.Config{c.namespace: {}}},
	}))(t)
	//lint:ignore SA1019 most controllers still have the older one, which writes core/v1
	r := &reconciler{Client: manager.GetClient(), old: manager.GetEventRecorderFor("old"), new: manager.GetEventRecorder("new")}
	if err := ctrl.NewControllerManagedBy(manager).Named(t.Name()).For(&corev1.Service{}).Owns(&corev1.ConfigMap{}).
		WithOptions(controller.Options{SkipNameValidation: new(true)}).Complete(r); err != nil {
		t.Fatal(err)
	}
	return r, func() {
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() {
			if err := manager.Start(ctx); err != nil {
				t.Errorf("the manager has ended: %v", err)
			}
		})
		t.Cleanup(func() { cancel(); running.Wait() })
	}
}

// checkLease: somebody leads, and says so every two seconds.
func checkLease(t *testing.T, c clients) {
	t.Helper()
	get := func() *coordinationv1.Lease {
		return must(c.typed.CoordinationV1().Leases(c.namespace).Get(t.Context(), "test.example.com", metav1.GetOptions{}))(t)
	}
	lease := get()
	if lease.Spec.HolderIdentity == nil || *lease.Spec.HolderIdentity == "" || *lease.Spec.LeaseTransitions != 0 {
		t.Errorf("nobody leads: %v", lease.Spec)
	}
	eventually(t, "the lease is renewed", func() bool { return get().Spec.RenewTime.After(lease.Spec.RenewTime.Time) })
}

// checkEvents: what was recorded through both groups is there, and counted by the older.
func checkEvents(t *testing.T, c clients) {
	t.Helper()
	count := func(component string) (n int32) {
		list := must(c.typed.EventsV1().Events(c.namespace).List(t.Context(), metav1.ListOptions{FieldSelector: "regarding.name=a,reason=Kept"}))(t)
		for _, e := range list.Items {
			if e.ReportingController == component || e.DeprecatedSource.Component == component {
				n += max(1, e.DeprecatedCount, seriesCount(e.Series))
			}
		}
		return n
	}
	// made once, made anew once, updated three times
	eventually(t, "five Events of core/v1", func() bool { return count("old") == 5 })
	eventually(t, "some Events of events.k8s.io/v1", func() bool { return count("new") >= 2 })
}

func seriesCount(s *eventsv1.EventSeries) int32 {
	if s == nil {
		return 0
	}
	return s.Count
}
