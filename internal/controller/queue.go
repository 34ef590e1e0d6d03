package controller

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/workload"
)

// kind is a kind of objects that are synced, in the order in which they are.
type kind int

const (
	kindService kind = iota
	kindReplicaSet
	kindStatefulSet
	kindDeployment
	kinds // how many there are
)

// String is the kind's name in the API.
func (k kind) String() string {
	return [...]string{"Service", "ReplicaSet", "StatefulSet", "Deployment"}[k]
}

// key names an object to sync.
type key struct {
	kind            kind
	namespace, name string
}

func keyOf(k kind, o metav1.Object) key { return key{k, o.GetNamespace(), o.GetName()} }

// retryFirst and retryMost bound the time after which a sync that failed is tried again; it doubles
// in between.
const (
	retryFirst = time.Second
	retryMost  = time.Minute
)

// never is far enough away.
const never = 24 * time.Hour

// queue holds the objects that are to be synced: now, in the order in which they became due, or at
// some time. Make it with newQueue.
type queue struct {
	due      [kinds][]key
	isDue    map[key]bool
	later    map[key]time.Time
	failures map[key]int
}

func newQueue() queue {
	return queue{isDue: map[key]bool{}, later: map[key]time.Time{}, failures: map[key]int{}}
}

// add makes an object due now.
func (q *queue) add(k key) {
	if !q.isDue[k] {
		q.isDue[k] = true
		q.due[k.kind] = append(q.due[k.kind], k)
	}
}

// next is when something is due.
func (q *queue) next(now time.Time) time.Time {
	if len(q.isDue) > 0 {
		return now
	}
	next := now.Add(never)
	for _, at := range q.later {
		next = workload.Sooner(next, at)
	}
	return next
}

// take takes out what is due: Services before anything else.
func (q *queue) take(now time.Time) (key, bool) {
	for k, at := range q.later {
		if !now.Before(at) {
			q.add(k)
		}
	}
	for i := range q.due {
		if len(q.due[i]) == 0 {
			continue
		}
		k := q.due[i][0]
		q.due[i] = q.due[i][1:]
		delete(q.isDue, k)
		delete(q.later, k)
		return k, true
	}
	return key{}, false
}

// done notes when an object that was synced is to be looked at again; zero means not until
// something happens to it.
func (q *queue) done(k key, again time.Time) {
	delete(q.failures, k)
	if !again.IsZero() {
		q.later[k] = again
	}
}

// failed makes an object due later, and says after what time.
func (q *queue) failed(k key, now time.Time) time.Duration {
	delay := min(retryFirst<<min(q.failures[k], 10), retryMost)
	q.failures[k]++
	q.later[k] = now.Add(delay)
	return delay
}

// retryNow makes due what failed and would be tried again later.
func (q *queue) retryNow() {
	for k := range q.failures {
		q.add(k)
	}
}
