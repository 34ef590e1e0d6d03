// Package workload is what the controllers decide: how a Deployment rolls, which Pods a ReplicaSet
// or a StatefulSet makes and deletes, which Pods are endpoints of a Service and in which
// EndpointSlice they stand.
//
// Everything here is a function of objects and an instant. Nothing starts a goroutine, reads a
// clock or does I/O; package controller carries the steps out, the simulator plays them in virtual
// time. What the kubelet decides about one Pod is package lifecycle.
package workload
