// Package table prints objects as kubectl get does: the API server, not kubectl, decides about
// columns and cells and sends them as a Table. Columns and cells are those of kube-apiserver 1.36,
// which the module test/tables compares them with. The few differences are:
//
//   - a Service port shows the number where the proxy serves it, if that is not the declared one;
//   - an age below zero is 0s and never <invalid>;
//   - kinds of Probity's own say themselves what they print: see [Printed].
//
// Everything here is a pure function and safe for concurrent use; objects are only read.
package table

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/store"
)

// Printed is an object that says itself what kubectl get prints of it, between its name and its
// age, as additionalPrinterColumns do for a custom resource.
type Printed interface {
	store.Object
	// PrinterColumns returns the columns. It depends on the type alone: the receiver may be nil.
	PrinterColumns() []metav1.TableColumnDefinition
	// PrinterCells returns a cell for each of the columns: a string or an int64.
	PrinterCells() []any
}

// Columns returns the columns of the kind that an object has; a nil pointer of its type will do.
// Those of priority 1 are for kubectl get -o wide and are always sent. A kind that is not known has
// those that kube-apiserver gives to such a kind: its name and when it was created.
func Columns(kind store.Object) []metav1.TableColumnDefinition {
	switch kind := kind.(type) {
	case *corev1.Pod:
		return podColumns()
	case *appsv1.Deployment:
		return deploymentColumns()
	case *appsv1.ReplicaSet:
		return replicaSetColumns()
	case *appsv1.StatefulSet:
		return statefulSetColumns()
	case *appsv1.ControllerRevision:
		return controllerRevisionColumns()
	case *autoscalingv1.Scale:
		return scaleColumns()
	case *corev1.Service:
		return serviceColumns()
	case *discoveryv1.EndpointSlice:
		return endpointSliceColumns()
	case *corev1.ConfigMap:
		return configMapColumns()
	case *corev1.Secret:
		return secretColumns()
	case *corev1.Namespace:
		return namespaceColumns()
	case *corev1.Node:
		return nodeColumns()
	case *corev1.Event, *eventsv1.Event:
		return eventColumns()
	case *coordinationv1.Lease:
		return leaseColumns()
	case Printed:
		return printedColumns(kind)
	}
	return unknownColumns()
}

// Row returns the row of an object: a cell, a string or an int64, for each of its kind's [Columns],
// and the conditions. What the row carries as its Object is left to the caller. Ages are those at
// now.
func Row(o store.Object, now time.Time) metav1.TableRow {
	var conditions []metav1.TableRowCondition
	if pod, ok := o.(*corev1.Pod); ok {
		conditions = podConditions(pod)
	}
	return metav1.TableRow{Cells: cells(o, now), Conditions: conditions}
}

func cells(o store.Object, now time.Time) []any {
	switch o := o.(type) {
	case *corev1.Pod:
		return podCells(o, now)
	case *appsv1.Deployment:
		return deploymentCells(o, now)
	case *appsv1.ReplicaSet:
		return replicaSetCells(o, now)
	case *appsv1.StatefulSet:
		return statefulSetCells(o, now)
	case *appsv1.ControllerRevision:
		return controllerRevisionCells(o, now)
	case *autoscalingv1.Scale:
		return scaleCells(o, now)
	case *corev1.Service:
		return serviceCells(o, now)
	case *discoveryv1.EndpointSlice:
		return endpointSliceCells(o, now)
	case *corev1.ConfigMap:
		return configMapCells(o, now)
	case *corev1.Secret:
		return secretCells(o, now)
	case *corev1.Namespace:
		return namespaceCells(o, now)
	case *corev1.Node:
		return nodeCells(o, now)
	case *corev1.Event:
		return eventCells(o, now)
	case *eventsv1.Event:
		return eventCells(asCoreEvent(o), now)
	case *coordinationv1.Lease:
		return leaseCells(o, now)
	case Printed:
		return printedCells(o, now)
	}
	return unknownCells(o)
}

func printedColumns(kind Printed) []metav1.TableColumnDefinition {
	columns := append([]metav1.TableColumnDefinition{nameColumn()}, kind.PrinterColumns()...)
	return append(columns, ageColumn())
}

func printedCells(o Printed, now time.Time) []any {
	cells := append([]any{o.GetName()}, o.PrinterCells()...)
	return append(cells, age(o.GetCreationTimestamp().Time, now))
}

func unknownColumns() []metav1.TableColumnDefinition {
	return []metav1.TableColumnDefinition{
		nameColumn(),
		{Name: "Created At", Type: "date", Description: metav1.ObjectMeta{}.SwaggerDoc()["creationTimestamp"]},
	}
}

func unknownCells(o store.Object) []any {
	return []any{o.GetName(), o.GetCreationTimestamp().UTC().Format(time.RFC3339)}
}
