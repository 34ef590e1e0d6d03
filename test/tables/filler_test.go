package tables

import (
	"math"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/randfill"
)

// newFiller returns what fills objects at random, but with few different words, so that the parts
// of an object fit together often enough to reach every decision.
func newFiller(seed uint64) *randfill.Filler {
	return randfill.NewWithSeed(int64(seed&math.MaxInt64)).NilChance(0.3).NumElements(0, 4).Funcs(
		func(s *string, c randfill.Continue) { *s = one(c, "", "a", "b", " c\n", "apps/v1", "10.0.0.1") },
		func(t *metav1.Time, c randfill.Continue) { t.Time = past(c) },
		func(t *metav1.MicroTime, c randfill.Continue) { t.Time = past(c) },
		func(o *runtime.RawExtension, _ randfill.Continue) { *o = runtime.RawExtension{} },
		func(o *intstr.IntOrString, _ randfill.Continue) { *o = intstr.FromInt32(1) },
		func(r *metav1.LabelSelectorRequirement, c randfill.Continue) {
			c.FillNoCustom(r)
			r.Operator = one(c, metav1.LabelSelectorOpIn, metav1.LabelSelectorOpNotIn, metav1.LabelSelectorOpExists, metav1.LabelSelectorOpDoesNotExist)
		},
		func(s *corev1.Secret, c randfill.Continue) {
			c.FillNoCustom(s)
			s.StringData = nil // the API server moves it into the data
		},
		fillPodSpec, fillPodStatus, fillContainer, fillContainerStatus, fillNode, fillServiceSpec,
	)
}

// one chooses one of some values.
func one[T any](c randfill.Continue, values ...T) T { return values[c.Intn(len(values))] }

// past is a time before now, near or far, or none.
func past(c randfill.Continue) time.Time {
	if c.Intn(4) == 0 {
		return time.Time{}
	}
	return time.Now().Add(-time.Duration(c.Int63n(int64(one(c, time.Second, time.Hour, 100*24*time.Hour, 20*365*24*time.Hour)))))
}

// fillPodSpec leaves out what is not printed.
func fillPodSpec(s *corev1.PodSpec, c randfill.Continue) {
	c.Fill(&s.InitContainers)
	c.Fill(&s.Containers)
	c.Fill(&s.NodeName)
	for range c.Intn(3) {
		s.ReadinessGates = append(s.ReadinessGates, corev1.PodReadinessGate{ConditionType: one(c, corev1.PodReady, corev1.PodInitialized, "a")})
	}
}

func fillContainer(o *corev1.Container, c randfill.Continue) {
	o.Name, o.Image = one(c, "a", "b"), one(c, "image:1", "image:2")
	o.RestartPolicy = one(c, nil, new(corev1.ContainerRestartPolicyAlways), new(corev1.ContainerRestartPolicyNever))
}

func fillPodStatus(s *corev1.PodStatus, c randfill.Continue) {
	s.Phase = one(c, "", corev1.PodPending, corev1.PodRunning, corev1.PodSucceeded, corev1.PodFailed)
	s.Reason = one(c, "", "", "Evicted", "NodeLost")
	for _, condition := range []corev1.PodConditionType{corev1.PodReady, corev1.PodInitialized, corev1.PodScheduled, "a"} {
		if c.Bool() {
			s.Conditions = append(s.Conditions, corev1.PodCondition{
				Type: condition, Status: one(c, corev1.ConditionTrue, corev1.ConditionFalse, ""), Reason: one(c, "", "", "", corev1.PodReasonSchedulingGated),
			})
		}
	}
	c.Fill(&s.InitContainerStatuses)
	c.Fill(&s.ContainerStatuses)
	c.Fill(&s.PodIP)
	c.Fill(&s.PodIPs)
	c.Fill(&s.NominatedNodeName)
}

func fillContainerStatus(s *corev1.ContainerStatus, c randfill.Continue) {
	s.Name, s.RestartCount, s.Ready = one(c, "a", "b"), one[int32](c, 0, 1, 7), c.Bool()
	s.Started = one(c, nil, new(true), new(false))
	ended := func() *corev1.ContainerStateTerminated {
		t := &corev1.ContainerStateTerminated{
			ExitCode: one[int32](c, 0, 0, 1, 137), Signal: one[int32](c, 0, 9), Reason: one(c, "", "Completed", "Completed", "Error"),
		}
		c.Fill(&t.FinishedAt)
		return t
	}
	switch c.Intn(5) {
	case 0:
		s.State.Waiting = &corev1.ContainerStateWaiting{Reason: one(c, "", "PodInitializing", "CrashLoopBackOff")}
	case 1, 2:
		s.State.Running = &corev1.ContainerStateRunning{}
	case 3:
		s.State.Terminated = ended()
	}
	if c.Bool() {
		s.LastTerminationState.Terminated = ended()
	}
}

func fillNode(n *corev1.Node, c randfill.Continue) {
	c.Fill(&n.ObjectMeta)
	c.Fill(&n.Spec.Unschedulable)
	c.Fill(&n.Status.NodeInfo)
	for range c.Intn(4) {
		metav1.SetMetaDataLabel(&n.ObjectMeta, one(c, "node-role.kubernetes.io/", "node-role.kubernetes.io/a", "node-role.kubernetes.io/b", "kubernetes.io/role"), one(c, "", "a", "c"))
	}
	for range c.Intn(3) {
		n.Status.Conditions = append(n.Status.Conditions, corev1.NodeCondition{
			Type: one(c, corev1.NodeReady, corev1.NodeDiskPressure), Status: one(c, corev1.ConditionTrue, corev1.ConditionFalse, corev1.ConditionUnknown),
		})
		n.Status.Addresses = append(n.Status.Addresses, corev1.NodeAddress{
			Type: one(c, corev1.NodeInternalIP, corev1.NodeExternalIP, corev1.NodeHostName), Address: one(c, "", "10.0.0.1", "10.0.0.2"),
		})
	}
}

func fillServiceSpec(s *corev1.ServiceSpec, c randfill.Continue) {
	c.FillNoCustom(s)
	s.Type = one(c, corev1.ServiceTypeClusterIP, corev1.ServiceTypeNodePort, corev1.ServiceTypeLoadBalancer, corev1.ServiceTypeExternalName, "a")
	s.ExternalIPs = one(c, nil, nil, []string{"10.0.0.3"}, []string{"10.0.0.4", "10.0.0.3"})
	s.ClusterIPs = nil
	if s.ClusterIP != "" {
		s.ClusterIPs = []string{s.ClusterIP} // the API server sees to it
	}
}
