package manifest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// containers are statuses of one container, which has ended with a code or runs (code < 0).
func containers(name string, code int32) []corev1.ContainerStatus {
	s := corev1.ContainerStatus{Name: name, RestartCount: -5}
	if code >= 0 {
		s.State.Terminated = &corev1.ContainerStateTerminated{ExitCode: code}
	}
	return []corev1.ContainerStatus{s}
}

// TestContainersThatEnd: what has ended for good does not run again; whether it has, its restart
// policy and rules say.
func TestContainersThatEnd(t *testing.T) {
	const refused = "status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state"
	rule := func(action corev1.ContainerRestartRuleAction, operator corev1.ContainerRestartRuleOnExitCodesOperator) corev1.Container {
		return corev1.Container{Name: "c", RestartPolicy: new(corev1.ContainerRestartPolicyNever), RestartPolicyRules: []corev1.ContainerRestartRule{
			{Action: action, ExitCodes: &corev1.ContainerRestartRuleOnExitCodes{Operator: operator, Values: []int32{3}}},
		}}
	}
	plain := corev1.Container{Name: "c"}
	for name, test := range map[string]struct {
		policy    corev1.RestartPolicy
		container corev1.Container
		code      int32
		refused   bool
	}{
		"Always":                        {corev1.RestartPolicyAlways, plain, 0, false},
		"Never":                         {corev1.RestartPolicyNever, plain, 1, true},
		"OnFailure, failed":             {corev1.RestartPolicyOnFailure, plain, 1, false},
		"OnFailure, well":               {corev1.RestartPolicyOnFailure, plain, 0, true},
		"its own policy":                {corev1.RestartPolicyAlways, corev1.Container{Name: "c", RestartPolicy: new(corev1.ContainerRestartPolicyNever)}, 0, true},
		"a rule for the code":           {corev1.RestartPolicyNever, rule("Restart", "In"), 3, false},
		"a rule for another code":       {corev1.RestartPolicyNever, rule("Restart", "In"), 4, true},
		"a rule for all other codes":    {corev1.RestartPolicyNever, rule("Restart", "NotIn"), 4, false},
		"a rule that restarts all":      {corev1.RestartPolicyNever, rule("RestartAllContainers", "In"), 4, false},
		"a container that there is not": {corev1.RestartPolicyAlways, corev1.Container{Name: "d"}, 0, true},
		"one that runs":                 {corev1.RestartPolicyNever, plain, -1, false},
	} {
		old := &corev1.Pod{Spec: corev1.PodSpec{RestartPolicy: test.policy, Containers: []corev1.Container{test.container}}}
		old.Status.ContainerStatuses = containers("c", test.code)
		next := old.DeepCopy()
		next.Status.ContainerStatuses = containers("c", -1)
		var want, got []string
		if test.refused {
			want = []string{refused}
		}
		for _, err := range ValidateStatusUpdate(old, next) {
			got = append(got, err.Error())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestStatusesOfOthers: what a client may not write of a Pod, a Node and a Service, in the API
// server's words.
func TestStatusesOfOthers(t *testing.T) {
	pod := func(s corev1.PodStatus) *corev1.Pod {
		return &corev1.Pod{Spec: corev1.PodSpec{NodeName: "here"}, Status: s}
	}
	balancer := func(in corev1.LoadBalancerIngress) *corev1.Service {
		s := &corev1.Service{Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer}}
		s.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{in}
		return s
	}
	mode := corev1.LoadBalancerIPMode("Odd")
	for name, test := range map[string]struct {
		old, new Resource
		want     []string
	}{
		"addresses of both families": {pod(corev1.PodStatus{}), pod(corev1.PodStatus{PodIPs: []corev1.PodIP{{IP: "1.2.3.4"}, {IP: "::1"}}}), nil},
		"two of one family": {pod(corev1.PodStatus{}), pod(corev1.PodStatus{PodIPs: []corev1.PodIP{{IP: "1.2.3.4"}, {IP: "1.2.3.5"}}}),
			[]string{`status.podIPs: Invalid value: [{"IP":"1.2.3.4"},{"IP":"1.2.3.5"}]: may specify no more than one IP for each IP family`}},
		"the old field alone":  {pod(corev1.PodStatus{}), pod(corev1.PodStatus{PodIP: "x"}), []string{"status.podIPs[0]: Invalid value: \"x\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"}},
		"what was there stays": {pod(corev1.PodStatus{PodIPs: []corev1.PodIP{{IP: "x"}}}), pod(corev1.PodStatus{PodIPs: []corev1.PodIP{{IP: "x"}}}), nil},
		"a host of two names":  {pod(corev1.PodStatus{}), pod(corev1.PodStatus{HostIP: "1.2.3.4", HostIPs: []corev1.HostIP{{IP: "1.2.3.5"}}}), []string{"status.hostIPs[0].ip: Invalid value: \"1.2.3.5\": must be equal to `hostIP`"}},
		"a nomination":         {pod(corev1.PodStatus{}), pod(corev1.PodStatus{NominatedNodeName: "there"}), []string{"status.nominatedNodeName: Forbidden: may not be set on pods that are already bound to a node"}},
		"a Node": {&corev1.Node{}, &corev1.Node{Status: corev1.NodeStatus{
			Capacity:    corev1.ResourceList{"cpu": resource.MustParse("-1"), "example.com/x": resource.MustParse("1500m")},
			Allocatable: corev1.ResourceList{"cpu": resource.MustParse("1500m"), "pods": resource.MustParse("1.5")},
			Addresses:   []corev1.NodeAddress{{Type: "InternalIP", Address: "1"}, {Type: "InternalIP", Address: "1"}},
		}}, []string{
			`status.capacity.cpu: Invalid value: "-1": must be greater than or equal to 0`, `status.capacity.example.com/x: Invalid value: "1500m": must be an integer`,
			`status.allocatable.pods: Invalid value: "1500m": must be an integer`, `status.addresses[1]: Duplicate value: {"Type":"InternalIP","Address":"1"}`,
		}},
		"a Service of no balancer": {&corev1.Service{}, func() *corev1.Service {
			s := balancer(corev1.LoadBalancerIngress{IP: "1.2.3.4"})
			s.Spec.Type = "ClusterIP"
			return s
		}(),
			[]string{"status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is 'LoadBalancer'"}},
		"a balancer":            {&corev1.Service{}, balancer(corev1.LoadBalancerIngress{IP: "1.2.3.4"}), nil},
		"a mode that is none":   {&corev1.Service{}, balancer(corev1.LoadBalancerIngress{IP: "1.2.3.4", IPMode: &mode}), []string{`status.loadBalancer.ingress[0].ipMode: Unsupported value: "Odd": supported values: "Proxy", "VIP"`}},
		"a mode of no address":  {&corev1.Service{}, balancer(corev1.LoadBalancerIngress{Hostname: "a.example", IPMode: &mode}), []string{"status.loadBalancer.ingress[0].ipMode: Forbidden: may not be specified when `ip` is not set"}},
		"an address for a name": {&corev1.Service{}, balancer(corev1.LoadBalancerIngress{Hostname: "1.2.3.4"}), []string{`status.loadBalancer.ingress[0].hostname: Invalid value: "1.2.3.4": must be a DNS name, not an IP address`}},
	} {
		var got []string
		for _, err := range ValidateStatusUpdate(test.old, test.new) {
			got = append(got, err.Error())
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
