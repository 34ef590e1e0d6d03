package lifecycle

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

func TestRestartsAfter(t *testing.T) { // J18 R125
	type policy = corev1.ContainerRestartPolicy
	rule := func(op corev1.ContainerRestartRuleOnExitCodesOperator, codes ...int32) corev1.ContainerRestartRule {
		return corev1.ContainerRestartRule{
			Action:    corev1.ContainerRestartRuleActionRestart,
			ExitCodes: &corev1.ContainerRestartRuleOnExitCodes{Operator: op, Values: codes},
		}
	}
	const in, notIn = corev1.ContainerRestartRuleOnExitCodesOpIn, corev1.ContainerRestartRuleOnExitCodesOpNotIn
	tests := []struct {
		name  string
		pod   corev1.RestartPolicy
		own   policy
		rules []corev1.ContainerRestartRule
		after map[int32]bool // exit code → restarted
		probe bool           // restarted after a probe kill (R120)
	}{
		{"pod Always", "Always", "", nil, map[int32]bool{0: true, 1: true}, true},
		{"pod OnFailure", "OnFailure", "", nil, map[int32]bool{0: false, 1: true}, true},
		{"pod Never", "Never", "", nil, map[int32]bool{0: false, 1: false}, false},
		{"own Always under Never", "Never", "Always", nil, map[int32]bool{0: true, 1: true}, true},
		{"own OnFailure under Never", "Never", "OnFailure", nil, map[int32]bool{0: false, 1: true}, true},
		{"own OnFailure under Always", "Always", "OnFailure", nil, map[int32]bool{0: false, 1: true}, true},
		{"own Never under Always", "Always", "Never", nil, map[int32]bool{0: false, 1: false}, false},
		{"rule In", "Always", "Never", []corev1.ContainerRestartRule{rule(in, 41, 42)}, map[int32]bool{0: false, 1: false, 41: true, 42: true}, false},
		{"rule NotIn", "Always", "Never", []corev1.ContainerRestartRule{rule(notIn, 1)}, map[int32]bool{0: true, 1: false, 2: true}, false},
		{"the second rule", "Never", "Never", []corev1.ContainerRestartRule{rule(in, 3), rule(in, 4)}, map[int32]bool{3: true, 4: true, 5: false}, false},
		{"no rule matches", "Never", "OnFailure", []corev1.ContainerRestartRule{rule(in, 0)}, map[int32]bool{0: true, 1: true}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := &corev1.Container{RestartPolicyRules: tt.rules}
			if tt.own != "" {
				c.RestartPolicy = &tt.own
			}
			for code, want := range tt.after {
				if got := restartsAfter(tt.pod, c, code); got != want {
					t.Errorf("after exit %d: %v, want %v", code, got, want)
				}
			}
			if got := restartable(tt.pod, c); got != tt.probe {
				t.Errorf("after a probe kill: %v, want %v", got, tt.probe)
			}
		})
	}
}

func TestContainerRestartRules(t *testing.T) { // J18 R125, in a Pod
	own := func(p corev1.ContainerRestartPolicy, codes ...int32) func(*corev1.Container) {
		return func(c *corev1.Container) {
			c.RestartPolicy = &p
			c.RestartPolicyRules = []corev1.ContainerRestartRule{{
				Action:    corev1.ContainerRestartRuleActionRestart,
				ExitCodes: &corev1.ContainerRestartRuleOnExitCodes{Operator: corev1.ContainerRestartRuleOnExitCodesOpIn, Values: codes},
			}}
		}
	}
	play(t, []scenario{
		{
			name: "J18 own Always under Never: exit 0 is restarted",
			spec: withPolicy(corev1.RestartPolicyNever, app(own(corev1.ContainerRestartPolicyAlways))),
			scripts: map[string]script{"app": {
				life: func(n int) exit { return exit{after: time.Second, never: n > 1} },
			}},
			until: time.Hour,
			watch: []string{"start ", "pod is"},
			want:  []string{"0s start app #1", "0s pod is Pending", "0s pod is Running", "1s start app #2"},
		},
		{
			name: "J18 own Never with a rule: 42 is restarted, 1 is not",
			spec: app(own(corev1.ContainerRestartPolicyNever, 42)),
			scripts: map[string]script{"app": {
				life: func(n int) exit { return exit{after: time.Second, code: []int32{42, 1}[n-1]} },
			}},
			until: time.Hour,
			watch: []string{"start ", "pod is"},
			want:  []string{"0s start app #1", "0s pod is Pending", "0s pod is Running", "1s start app #2", "2s pod is Failed"},
		},
	})
}
