package rollout

import (
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// Memory is what [Explain] has to know of its past to judge the next facts. The zero value
// remembers nothing. It is never changed: Explain returns a new one.
type Memory struct {
	// pods is what is remembered of Pods.
	pods map[types.UID]podMemory
	// causes is since when each cause holds.
	causes map[causeKey]time.Time
	// complete is since when every Pod is up; zero if it is not.
	complete time.Time
	// progress is when there was progress last, best how far it was (R213).
	progress time.Time
	best     counts
}

// podMemory is what is remembered of a Pod.
type podMemory struct {
	// restarts are those by container that do not count: they were before this rollout, or before
	// the Pod was well for a long time.
	restarts map[string]int32
	// since is from when on Events count.
	since time.Time
}

// causeKey tells causes apart.
type causeKey struct {
	kind      Kind
	pod       types.UID
	container string
}

// counts are what progress is measured by.
type counts struct{ updated, ready, available, old int }
