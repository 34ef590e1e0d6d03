package node

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Traffic carries requests to Pods, as package proxy does. The node informs it of what it knows
// before the EndpointSlices do. Its methods are safe for concurrent use; but for Starting they do
// not block.
type Traffic interface {
	// Withdraw takes a Pod out of the routes: when it returns, no new request goes there while
	// there is another replica.
	Withdraw(pod types.UID)
	// Admit undoes Withdraw and Exited: the EndpointSlices count again.
	Admit(pod types.UID)
	// Drained is closed when no request is in flight at the Pod.
	Drained(pod types.UID) <-chan struct{}
	// Sent is closed when something of every request in flight was written to the Pod.
	Sent(pod types.UID) <-chan struct{}
	// Exited reports that the process that serves the Pod's requests has ended, and how: "exited on
	// SIGTERM".
	Exited(pod types.UID, how string)
	// Starting is called before a program is started: when it returns, the program can listen at
	// its declared ports, if it is its turn to have them. Ended or NotStarted follows.
	Starting(pod *corev1.Pod, container string)
	// NotStarted reports that there was no process after all.
	NotStarted(pod *corev1.Pod, container string)
	// Ended reports that the process is gone, and whether it failed.
	Ended(pod *corev1.Pod, container string, failed bool)
}

// noTraffic is the Traffic of a node to whose Pods nobody routes requests.
type noTraffic struct{}

func (noTraffic) Withdraw(types.UID) {}

func (noTraffic) Admit(types.UID) {}

func (noTraffic) Drained(types.UID) <-chan struct{} { return closedChannel() }

func (noTraffic) Sent(types.UID) <-chan struct{} { return closedChannel() }

func (noTraffic) Exited(types.UID, string) {}

func (noTraffic) Starting(*corev1.Pod, string) {}

func (noTraffic) NotStarted(*corev1.Pod, string) {}

func (noTraffic) Ended(*corev1.Pod, string, bool) {}

func closedChannel() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}
