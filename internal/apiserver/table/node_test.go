package table

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

func TestNode(t *testing.T) {
	is := func(ready corev1.ConditionStatus) corev1.NodeStatus {
		return corev1.NodeStatus{Conditions: []corev1.NodeCondition{
			{Type: corev1.NodeReady, Status: ready}, {Type: corev1.NodeMemoryPressure, Status: corev1.ConditionTrue},
		}}
	}
	complete := is(corev1.ConditionTrue)
	complete.Addresses = []corev1.NodeAddress{
		{Type: corev1.NodeHostName, Address: "here"}, {Type: corev1.NodeInternalIP, Address: "127.0.0.1"},
		{Type: corev1.NodeInternalIP, Address: "::1"}, {Type: corev1.NodeExternalIP, Address: "10.0.0.1"},
	}
	complete.NodeInfo = corev1.NodeSystemInfo{
		KubeletVersion: "v1.36.3+probity", OSImage: "Debian GNU/Linux 13", KernelVersion: "6.12.1", Architecture: "amd64", ContainerRuntimeVersion: "probity://0.1.0",
	}
	tests := map[string]struct {
		labels map[string]string
		cordon bool
		status corev1.NodeStatus
		want   string
	}{
		"all of it": {
			nil, false, complete,
			"probity|Ready|<none>|5m|v1.36.3+probity|127.0.0.1|10.0.0.1|Debian GNU/Linux 13|6.12.1 (amd64)|probity://0.1.0",
		},
		"not ready":       {nil, false, is(corev1.ConditionFalse), "probity|NotReady|<none>|5m||<none>|<none>|<unknown>|<unknown>|<unknown>"},
		"nobody knows":    {nil, false, is(corev1.ConditionUnknown), "probity|NotReady|<none>|5m||<none>|<none>|<unknown>|<unknown>|<unknown>"},
		"nobody has said": {nil, true, corev1.NodeStatus{}, "probity|Unknown,SchedulingDisabled|<none>|5m||<none>|<none>|<unknown>|<unknown>|<unknown>"},
		"cordoned":        {nil, true, is(corev1.ConditionTrue), "probity|Ready,SchedulingDisabled|<none>|5m||<none>|<none>|<unknown>|<unknown>|<unknown>"},
		"roles": {
			map[string]string{
				"node-role.kubernetes.io/worker": "", "node-role.kubernetes.io/control-plane": "true", "node-role.kubernetes.io/": "", "kubernetes.io/role": "edge", "other": "x",
			},
			false, is(corev1.ConditionTrue), "probity|Ready|control-plane,edge,worker|5m||<none>|<none>|<unknown>|<unknown>|<unknown>",
		},
		"a role twice": {
			map[string]string{"node-role.kubernetes.io/worker": "", "kubernetes.io/role": "worker"}, false, is(corev1.ConditionTrue), "probity|Ready|worker|5m||<none>|<none>|<unknown>|<unknown>|<unknown>",
		},
		"an empty role": {map[string]string{"kubernetes.io/role": ""}, false, is(corev1.ConditionTrue), "probity|Ready|<none>|5m||<none>|<none>|<unknown>|<unknown>|<unknown>"},
		"an architecture alone": {
			nil, false, corev1.NodeStatus{NodeInfo: corev1.NodeSystemInfo{Architecture: "arm64"}}, "probity|Unknown|<none>|5m||<none>|<none>|<unknown>|<unknown> (arm64)|<unknown>",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			node := &corev1.Node{ObjectMeta: named("probity"), Spec: corev1.NodeSpec{Unschedulable: test.cordon}, Status: test.status}
			node.Labels = test.labels
			if diff := cmp.Diff(test.want, cellsOf(t, node)); diff != "" {
				t.Errorf("cells (-want +got):\n%s", diff)
			}
		})
	}
}
