package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/probity-run/probity/test/differential/cluster"
	"github.com/probity-run/probity/test/differential/recording"
	"github.com/probity-run/probity/test/differential/stage"
)

// probed are Pods with probes of each type and each result: at HOST and PORT something listens,
// at port 1 nothing.
const probed = `
metadata: {name: passes}
spec:
  containers:
  - name: c
    startupProbe: {tcpSocket: {host: HOST, port: PORT}, periodSeconds: 1}
    readinessProbe: {tcpSocket: {host: HOST, port: PORT}, periodSeconds: 1}
    livenessProbe: {tcpSocket: {host: HOST, port: PORT}, periodSeconds: 1}
---
metadata: {name: fails}
spec:
  containers:
  - name: c
    readinessProbe: {tcpSocket: {host: 127.0.0.1, port: 1}, periodSeconds: 1}
    livenessProbe: {tcpSocket: {host: 127.0.0.1, port: 1}, periodSeconds: 1, failureThreshold: 100}
---
metadata: {name: starts}
spec:
  containers:
  - name: c
    startupProbe: {tcpSocket: {host: 127.0.0.1, port: 1}, periodSeconds: 1, failureThreshold: 100}
`

// probeMetrics records which metrics the kubelet has of probes of each type and each result.
func probeMetrics(ctx context.Context, c *cluster.Cluster, path string) error {
	const namespace = "metrics"
	host, port := c.Listener()
	var pods []stage.Object
	for manifest := range strings.SplitSeq(strings.NewReplacer("HOST", host, "PORT", fmt.Sprint(port)).Replace(probed), "---") {
		var pod stage.Object
		if err := yaml.Unmarshal([]byte(manifest), &pod.Object); err != nil {
			return err
		}
		pod.SetAPIVersion("v1")
		pod.SetKind("Pod")
		setup := c.ContainerSetup("")
		container := pod.Object["spec"].(map[string]any)["containers"].([]any)[0].(map[string]any)
		container["image"], container["imagePullPolicy"], container["command"] = setup.Image, "Never", []any{setup.Player, "pause"}
		pods = append(pods, pod)
	}
	if err := c.Apply(ctx, namespace, pods); err != nil {
		return err
	}
	shape, err := shapeOfAll(ctx, c)
	if err != nil {
		return fmt.Errorf("cannot record the metrics of probes: %w", err)
	}
	if err := c.Clear(ctx, namespace); err != nil {
		return err
	}
	return recording.WriteShape(path, shape)
}

// shapeOfAll waits until there is a counter of each type and each result.
func shapeOfAll(ctx context.Context, c *cluster.Cluster) (shape []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for {
		text, err := c.ProbeMetrics(ctx)
		if err != nil {
			return nil, err
		}
		shape = recording.Shape(text)
		counters := 0
		for _, line := range shape {
			if strings.HasPrefix(line, "prober_probe_total ") {
				counters++
			}
		}
		if counters == 6 {
			return shape, nil
		}
		select {
		case <-time.After(500 * time.Millisecond):
		case <-ctx.Done():
			return nil, fmt.Errorf("%w; there is only\n%s", ctx.Err(), strings.Join(shape, "\n"))
		}
	}
}
