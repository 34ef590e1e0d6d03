package compose

import (
	"slices"

	"github.com/probity-run/probity/internal/manifest"
)

// field is one that a service may have.
type field struct {
	name string
	// read takes what it says. Nil for what has no effect here.
	read func(d *decoder, v *value, path Path)
	// instead says what becomes of a field that is not read.
	instead string
}

const (
	ofTheContainer = "it is about the container, and a Pod has its own field for it"
	ofTheNetwork   = "Pods share one network, and services reach each other by their names"
	ofTheMachine   = "Kubernetes has no such field"
	ofDocker       = "it is for Docker alone"
	ofTheBuild     = "nothing is built here"
)

// serviceFields are the fields of a service, those that are read first.
func serviceFields() []field {
	return slices.Concat(readFields(), []field{
		{"attach", nil, ofDocker}, {"blkio_config", nil, ofTheMachine}, {"cap_add", nil, ofTheContainer}, {"cap_drop", nil, ofTheContainer},
		{"cgroup", nil, ofTheMachine}, {"cgroup_parent", nil, ofTheMachine},
		{"configs", nil, "write a ConfigMap, and a volume of it"},
		{"container_name", nil, "Pods are named by Kubernetes; other services reach this one by the name of the service"},
		{"cpu_count", nil, ofTheMachine}, {"cpu_percent", nil, ofTheMachine}, {"cpu_period", nil, ofTheMachine}, {"cpu_quota", nil, ofTheMachine},
		{"cpu_rt_period", nil, ofTheMachine}, {"cpu_rt_runtime", nil, ofTheMachine}, {"cpu_shares", nil, ofTheMachine}, {"cpuset", nil, ofTheMachine},
		{"credential_spec", nil, ofTheContainer}, {"develop", nil, ofDocker}, {"device_cgroup_rules", nil, ofTheMachine}, {"devices", nil, ofTheMachine},
		{"dns", nil, ofTheNetwork}, {"dns_opt", nil, ofTheNetwork}, {"dns_search", nil, ofTheNetwork}, {"domainname", nil, ofTheNetwork},
		{"external_links", nil, ofTheNetwork}, {"extra_hosts", nil, "write hostAliases in the Pod"}, {"gpus", nil, "write resources.limits"},
		{"group_add", nil, ofTheContainer}, {"init", nil, ofDocker}, {"ipc", nil, ofTheContainer}, {"isolation", nil, ofDocker},
		{"label_file", nil, "labels of a file are not read"}, {"logging", nil, ofDocker}, {"mac_address", nil, ofTheNetwork},
		{"mem_swappiness", nil, ofTheMachine}, {"memswap_limit", nil, ofTheMachine}, {"models", nil, ofDocker},
		{"networks", nil, ofTheNetwork}, {"oom_kill_disable", nil, ofTheMachine}, {"oom_score_adj", nil, ofTheMachine}, {"pid", nil, ofTheContainer},
		{"pids_limit", nil, ofTheMachine}, {"platform", nil, "write a nodeSelector"},
		{"post_start", nil, "write lifecycle.postStart, which has one command"}, {"pre_start", nil, "write an init container"},
		{"pre_stop", nil, "write lifecycle.preStop, which has one command"}, {"privileged", nil, ofTheContainer}, {"provider", nil, ofDocker},
		{"pull_policy", nil, ofTheContainer}, {"pull_refresh_after", nil, ofDocker}, {"read_only", nil, ofTheContainer}, {"runtime", nil, ofTheContainer},
		{"secrets", nil, "write a Secret, and a volume of it"}, {"security_opt", nil, ofTheContainer},
		{"shm_size", nil, ofTheMachine}, {"stdin_open", nil, ofTheContainer}, {"storage_opt", nil, ofDocker}, {"sysctls", nil, ofTheContainer},
		{"tmpfs", nil, "write a volume emptyDir with medium Memory"}, {"tty", nil, ofTheContainer}, {"ulimits", nil, ofTheMachine}, {"umask", nil, ofTheMachine},
		{"use_api_socket", nil, ofDocker}, {"userns_mode", nil, ofTheContainer}, {"uts", nil, ofTheContainer},
		{"volumes", nil, "nothing is mounted, a program here sees the files of this machine; on a cluster write volumes and volumeMounts"},
		{"volumes_from", nil, ofTheMachine},
	})
}

// readFields are those that have an effect.
func readFields() []field {
	text := func(to func(*Service) *string) func(*decoder, *value, Path) {
		return func(d *decoder, v *value, path Path) { d.text(v, path, to(d.service)) }
	}
	return []field{
		{"image", text(func(s *Service) *string { return &s.Image }), ""},
		{"build", (*decoder).build, ""},
		{"command", func(d *decoder, v *value, path Path) { d.service.Command = d.commandLine(v, path) }, ""},
		{"entrypoint", (*decoder).entrypoint, ""},
		{"env_file", func(*decoder, *value, Path) {}, ""}, // read before environment, see service
		{"environment", func(d *decoder, v *value, path Path) { d.environment(d.pairs(v, path, true)) }, ""},
		{"ports", (*decoder).ports, ""},
		{"expose", (*decoder).expose, ""},
		{"healthcheck", (*decoder).healthcheck, ""},
		{"depends_on", (*decoder).dependsOn, ""},
		{"restart", (*decoder).restart, ""},
		{"stop_grace_period", func(d *decoder, v *value, path Path) {
			d.service.StopAt = v.at
			d.duration(v, path, &d.service.StopPeriod)
		}, ""},
		{"stop_signal", (*decoder).stopSignal, ""},
		{"working_dir", func(d *decoder, v *value, path Path) {
			d.service.DirAt = v.at
			d.text(v, path, &d.service.WorkingDir)
		}, ""},
		{"hostname", func(d *decoder, v *value, path Path) { d.word(v, path, &d.service.Hostname) }, ""},
		{"user", func(d *decoder, v *value, path Path) { d.word(v, path, &d.service.User) }, ""},
		{"labels", (*decoder).labels, ""},
		{"annotations", (*decoder).labels, ""},
		{"links", func(*decoder, *value, Path) {}, ""},        // read after depends_on, see implied
		{"network_mode", func(*decoder, *value, Path) {}, ""}, // the same
		{"profiles", func(*decoder, *value, Path) {}, ""},     // read before all else, see project
		{"scale", (*decoder).replicas, ""},
		{"deploy", (*decoder).deploy, ""},
		{"cpus", func(d *decoder, v *value, path Path) { d.cpu(v, path, &d.service.Limits.CPU) }, ""},
		{"mem_limit", func(d *decoder, v *value, path Path) { d.memory(v, path, &d.service.Limits.Memory) }, ""},
		{"mem_reservation", func(d *decoder, v *value, path Path) { d.memory(v, path, &d.service.Requests.Memory) }, ""},
	}
}

// read reads the fields of a service.
func (d *decoder) read(v *value, path Path) {
	if env := v.get("env_file"); env != nil {
		d.envFile(env, path.field("env_file"))
	}
	all := serviceFields()
	for _, e := range v.fields {
		at := path.field(e.key)
		i := slices.IndexFunc(all, func(f field) bool { return f.name == e.key })
		switch {
		case i < 0:
			d.unknownService(e, path)
		case e.kind == null:
		case all[i].read != nil:
			all[i].read(d, e.value, at)
		case e.kind == mapping && len(e.fields) == 0 || e.kind == list && len(e.items) == 0 || e.text == "false":
		default:
			d.noteNotApplied(e.at, at, "%s", all[i].instead)
		}
	}
	d.implied(v, path)
}

// unknownService names what was meant by a field that people take from elsewhere.
func (d *decoder) unknownService(e entry, path Path) {
	meant := map[string]string{
		"env": "environment", "envs": "environment", "env_vars": "environment", "health_check": "healthcheck", "healthCheck": "healthcheck", "health": "healthcheck",
		"livenessProbe": "healthcheck", "readinessProbe": "healthcheck", "cmd": "command", "args": "command", "port": "ports", "container_port": "ports",
		"depend_on": "depends_on", "dependsOn": "depends_on", "replicas": "deploy.replicas", "resources": "deploy.resources", "restart_policy": "restart",
		"volume": "volumes", "network": "networks", "cap-add": "cap_add", "workdir": "working_dir", "dockerfile": "build.dockerfile", "context": "build.context",
	}
	if name, ok := meant[e.key]; ok {
		d.fail(e.at, path.field(e.key), manifest.ReasonUnknownField, "unknown field, Compose calls it %s", name)
		return
	}
	if slices.Contains(healthcheckFields(), e.key) {
		d.fail(e.at, path.field(e.key), manifest.ReasonUnknownField, "unknown field, it belongs in %s.healthcheck", path)
		return
	}
	var names []string
	for _, f := range serviceFields() {
		names = append(names, f.name)
	}
	d.unknown(e, path, names)
}
