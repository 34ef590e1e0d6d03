// Rollouts records what a real kubelet and control plane show of rollouts that do not come up, or
// late: every version of their Deployment, ReplicaSet, Pod and Events, with its time. Package
// internal/rollout is tested by it. It needs root; see package cluster for what else.
//
//	go run ./test/differential/rollouts [-out DIR] [-for 100s] [-parallel 5] [NAME …]
package main
