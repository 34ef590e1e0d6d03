package rollout

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/advisor"
)

// Facts are what is known of one workload at an instant. Only Now and Workload are required; each
// of the others makes the answer more exact. Nobody changes what they point to. Objects that have
// nothing to do with the workload may be among them: owners and selectors decide.
type Facts struct {
	// Now is the instant by the clock of the server.
	Now time.Time
	// Begun is when the deployment began; zero means that nobody deploys: all is explained as if it
	// had begun long ago.
	Begun time.Time
	// Workload is a Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, CronJob or Pod of
	// k8s.io/api. Another object is up as soon as it is there.
	Workload metav1.Object
	// Generation is that which the server gave in its answer to what was applied; what has observed
	// an older one says nothing yet. 0 means that of Workload.
	Generation int64
	// PausedByFile says that the applied object has spec.paused itself.
	PausedByFile bool

	ReplicaSets []*appsv1.ReplicaSet
	// Revisions are those of a StatefulSet or a DaemonSet. Without them the newest revision of a
	// DaemonSet is that of its newest Pod.
	Revisions []*appsv1.ControllerRevision
	Pods      []*corev1.Pod
	Services  []*corev1.Service
	Slices    []*discoveryv1.EndpointSlice
	Nodes     []*corev1.Node
	Claims    []*corev1.PersistentVolumeClaim
	Events    []*corev1.Event
	// EventsForbidden says that there are none because nobody may read them.
	EventsForbidden bool
	// Logs are the last lines of instances, by what [Result.Logs] asked for.
	Logs map[Instance][]string

	// Findings are those of probity check in the files that were applied.
	Findings []advisor.Finding
	// Has, if not nil, reports whether the set that is deployed has an object: "ConfigMap",
	// "settings".
	Has func(kind, name string) bool

	Options
}

// Options are how long what is wrong may last. The zero value has the defaults.
type Options struct {
	// Patience is how long a cause that is doomed has to hold. Default: 30 s.
	Patience time.Duration
	// Timeout is after what time since Begun the rollout is not watched any longer. Default:
	// 15 min.
	Timeout time.Duration
	// Deadline is for how long a workload without progressDeadlineSeconds may make no progress.
	// Default: 10 min.
	Deadline time.Duration
}

// Instance is one instance of a container: that which Number others came before. It has the number
// that restartCount has while it runs, and until the next one is started.
type Instance struct {
	Pod       types.UID
	Container string
	Number    int32
}
