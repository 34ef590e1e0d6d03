package compose

import (
	"slices"

	"github.com/probity-run/probity/internal/manifest"
)

// deploy reads what is meant for Swarm.
func (d *decoder) deploy(v *value, path Path) {
	if !d.isMapping(v, path) {
		return
	}
	for _, e := range v.fields {
		at := path.field(e.key)
		switch e.key {
		case "replicas":
			d.replicas(e.value, at)
		case "update_config":
			d.updateConfig(e.value, at)
		case "resources":
			d.resources(e.value, at)
		case "mode":
			if e.text != "replicated" {
				d.noteNotApplied(e.at, at, "a DaemonSet is what runs once on each node")
			}
		case "restart_policy":
			d.restartPolicy(e.value, at)
		case "endpoint_mode", "labels", "placement", "rollback_config":
			d.noteNotApplied(e.at, at, "it is for Swarm alone")
		default:
			d.unknown(e, path, []string{"replicas", "update_config", "resources", "mode", "restart_policy", "endpoint_mode", "labels", "placement", "rollback_config"})
		}
	}
}

func (d *decoder) updateConfig(v *value, path Path) {
	if !d.isMapping(v, path) {
		return
	}
	u := &Update{Parallelism: 1, At: v.at}
	for _, e := range v.fields {
		at := path.field(e.key)
		switch e.key {
		case "parallelism":
			d.number(e.value, at, &u.Parallelism)
		case "order":
			if u.StartFirst = e.text == "start-first"; !u.StartFirst && e.text != "stop-first" {
				d.fail(e.value.at, at, manifest.ReasonType, "must be start-first or stop-first, this is %s", e.shown())
			}
		case "failure_action":
			d.noteDifferent(e.at, at, "Docker would %s when new containers fail, Kubernetes will stop the rollout there and keep the old Pods", orPause(e.text))
		case "delay", "monitor", "max_failure_ratio":
			d.noteNotApplied(e.at, at, "a Deployment goes on when a new Pod is ready; minReadySeconds makes it wait longer")
		default:
			d.unknown(e, path, []string{"parallelism", "order", "failure_action", "delay", "monitor", "max_failure_ratio"})
		}
	}
	d.service.Update = u
}

func orPause(action string) string {
	switch action {
	case "rollback":
		return "roll back"
	case "continue":
		return "go on"
	}
	return "pause"
}

func (d *decoder) restartPolicy(v *value, path Path) {
	if !d.isMapping(v, path) {
		return
	}
	for _, e := range v.fields {
		at := path.field(e.key)
		switch e.key {
		case "condition":
			if e.kind == scalar && e.text == "" {
				continue
			}
			policy, ok := map[string]string{"none": "no", "on-failure": "on-failure", "any": "always", "always": "always", "unless-stopped": "always"}[e.text]
			if !ok {
				d.fail(e.value.at, at, manifest.ReasonType, "must be none, on-failure or any, this is %s", e.shown())
			} else if d.service.Restart == "" {
				d.service.Restart, d.service.RestartAt = policy, e.value.at
			}
		case "delay", "max_attempts", "window":
			d.noteNotApplied(e.at, at, "Kubernetes waits 10 s before it restarts again, twice as long each time, at most 5 min, and never gives up")
		default:
			d.unknown(e, path, []string{"condition", "delay", "max_attempts", "window"})
		}
	}
}

func (d *decoder) resources(v *value, path Path) {
	if !d.isMapping(v, path) {
		return
	}
	for _, e := range v.fields {
		at := path.field(e.key)
		to := &d.service.Limits
		if e.key == "reservations" {
			to = &d.service.Requests
		}
		if !slices.Contains([]string{"limits", "reservations"}, e.key) {
			d.unknown(e, path, []string{"limits", "reservations"})
			continue
		}
		if e.kind == null || !d.isMapping(e.value, at) {
			continue
		}
		for _, f := range e.fields {
			switch f.key {
			case "cpus":
				d.cpu(f.value, at.field(f.key), &to.CPU)
			case "memory":
				d.memory(f.value, at.field(f.key), &to.Memory)
			case "pids", "devices", "generic_resources":
				d.noteNotApplied(f.at, at.field(f.key), "Kubernetes names such resources otherwise")
			default:
				d.unknown(f, at, []string{"cpus", "memory", "pids", "devices", "generic_resources"})
			}
		}
	}
}
