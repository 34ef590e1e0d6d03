package tables

import (
	"cmp"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	_ "k8s.io/kubernetes/pkg/apis/autoscaling/install"
	_ "k8s.io/kubernetes/pkg/apis/coordination/install"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	_ "k8s.io/kubernetes/pkg/apis/discovery/install"
	_ "k8s.io/kubernetes/pkg/apis/events/install"
	"k8s.io/kubernetes/pkg/printers"
	"k8s.io/kubernetes/pkg/printers/internalversion"

	"github.com/probity-run/probity/internal/apiserver/table"
)

// object is what package table prints.
type object interface {
	metav1.Object
	runtime.Object
}

// objectsOfAKind is how many objects of each kind are compared.
const objectsOfAKind = 5_000

var seed = flag.Uint64("seed", 0, "of the objects, to repeat a run; 0 means a new one")

// TestTables runs in a bubble, where kube-apiserver's code reads a clock that stands still.
func TestTables(t *testing.T) {
	oracle := printers.NewTableGenerator().With(internalversion.AddHandlers)
	for name, empty := range map[string]func() object{
		"Pod":                  func() object { return &corev1.Pod{} },
		"Deployment":           func() object { return &appsv1.Deployment{} },
		"ReplicaSet":           func() object { return &appsv1.ReplicaSet{} },
		"StatefulSet":          func() object { return &appsv1.StatefulSet{} },
		"ControllerRevision":   func() object { return &appsv1.ControllerRevision{} },
		"Scale":                func() object { return &autoscalingv1.Scale{} },
		"Service":              func() object { return &corev1.Service{} },
		"EndpointSlice":        func() object { return &discoveryv1.EndpointSlice{} },
		"ConfigMap":            func() object { return &corev1.ConfigMap{} },
		"Secret":               func() object { return &corev1.Secret{} },
		"Namespace":            func() object { return &corev1.Namespace{} },
		"Node":                 func() object { return &corev1.Node{} },
		"Event":                func() object { return &corev1.Event{} },
		"Event, events.k8s.io": func() object { return &eventsv1.Event{} },
		"Lease":                func() object { return &coordinationv1.Lease{} },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				seed := cmp.Or(*seed, rand.Uint64())
				filler := newFiller(seed)
				for range objectsOfAKind {
					o := empty()
					filler.Fill(o)
					if err := compare(oracle, o); err != nil {
						t.Fatalf("-seed %d: %v", seed, err)
					}
				}
			})
		})
	}
}

// compare reports how the two Tables of one object differ.
func compare(oracle printers.TableGenerator, o object) error {
	legacyscheme.Scheme.Default(o)
	internal, err := legacyscheme.Scheme.ConvertToVersion(o, runtime.InternalGroupVersioner)
	if err != nil {
		return err
	}
	want, err := oracle.GenerateTable(internal, printers.GenerateOptions{Wide: true})
	if err != nil {
		return err
	}
	if diff := gocmp.Diff(want.ColumnDefinitions, table.Columns(o)); diff != "" {
		return fmt.Errorf("columns (-kube-apiserver +probity):\n%s", diff)
	}
	want.Rows[0].Object = runtime.RawExtension{}
	if diff := gocmp.Diff(want.Rows[0], table.Row(o, time.Now())); diff != "" {
		return fmt.Errorf("row (-kube-apiserver +probity):\n%s\nof %+v", diff, o)
	}
	return nil
}
