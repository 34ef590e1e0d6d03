package truefoundry

func resourcesType() objectType {
	const storage = "write ephemeral_storage_request and ephemeral_storage_limit, in MB"
	return objectType{fields: []field{
		{name: "cpu_request", kind: number, most: 256, unit: cores}, {name: "cpu_limit", kind: number, most: 256, unit: cores},
		{name: "memory_request", kind: whole, unit: megabytes}, {name: "memory_limit", kind: whole, unit: megabytes},
		{name: "ephemeral_storage_request", kind: whole, unit: megabytes}, {name: "ephemeral_storage_limit", kind: whole, unit: megabytes},
		{name: "shared_memory_size", kind: whole, unit: megabytes},
		{name: "node", kind: object, of: []string{"node_selector", "nodepool_selector"}, idle: oneMachine},
		{name: "devices", kind: objects, of: []string{"nvidia_gpu", "nvidia_mig_gpu", "nvidia_timeslicing_gpu", "aws_inferentia", "gcp_tpu"}},
	}, slips: map[string]string{
		"storage": storage, "ephemeral_storage": storage, "gpu_count": "write devices: [{type: nvidia_gpu, count: 1}]", "gpu": "write devices: [{type: nvidia_gpu, count: 1}]",
		"cpu": "write cpu_request and cpu_limit, in cores", "memory": "write memory_request and memory_limit, in MB",
		"requests": "write cpu_request and memory_request", "limits": "write cpu_limit and memory_limit", "instance_family": "it belongs in node: {type: node_selector, instance_families: […]}",
	}}
}

func nodeTypes() map[string]objectType {
	device := []field{{name: "type", required: true}, {name: "name"}, {name: "count", kind: whole}, {name: "profile"}, {name: "tpu_type"}, {name: "topology"}, {name: "node_pool"}}
	return map[string]objectType{
		"node_selector": {tag: "node_selector", fields: []field{{name: "type", required: true}, {name: "instance_families", kind: texts}, {name: "capacity_type", words: []string{"spot_fallback_on_demand", "spot", "on_demand"}}},
			slips: map[string]string{"gpu_type": "write resources.devices: [{type: nvidia_gpu, name: …, count: 1}]"}},
		"nodepool_selector":      {tag: "nodepool_selector", fields: []field{{name: "type", required: true}, {name: "nodepools", kind: texts}}},
		"nvidia_gpu":             {tag: "nvidia_gpu", fields: []field{{name: "type", required: true}, {name: "name"}, {name: "count", kind: whole, required: true}}},
		"nvidia_mig_gpu":         {tag: "nvidia_mig_gpu", fields: device},
		"nvidia_timeslicing_gpu": {tag: "nvidia_timeslicing_gpu", fields: device},
		"aws_inferentia":         {tag: "aws_inferentia", fields: device},
		"gcp_tpu":                {tag: "gcp_tpu", fields: device},
	}
}

func scaleTypes() map[string]objectType {
	return map[string]objectType{
		"autoscaling": {fields: []field{
			{name: "min_replicas", kind: whole}, {name: "max_replicas", kind: whole, idle: oneSize}, {name: "min", kind: whole}, {name: "max", kind: whole, idle: oneSize},
			{name: "polling_interval", kind: whole, unit: seconds, idle: oneSize}, {name: "metrics", kind: object, of: []string{"cpu_utilization", "rps", "cron"}, idle: oneSize},
		}},
		"cpu_utilization": {tag: "cpu_utilization", fields: []field{{name: "type", required: true}, {name: "value", kind: number, required: true}}},
		"rps":             {tag: "rps", fields: []field{{name: "type", required: true}, {name: "value", kind: number, required: true}}},
		"cron":            {tag: "cron", fields: []field{{name: "type", required: true}, {name: "desired_replicas", kind: whole}, {name: "start", required: true}, {name: "end", required: true}, {name: "timezone"}}},
		"auto_shutdown":   {fields: []field{{name: "wait_time", kind: whole, unit: seconds}}},
	}
}

func rolloutTypes() map[string]objectType {
	rolling := []field{{name: "type", required: true}, {name: "max_unavailable_percentage", kind: whole}, {name: "max_surge_percentage", kind: whole}}
	slips := map[string]string{"max_unavailable": "write max_unavailable_percentage", "max_surge": "write max_surge_percentage"}
	return map[string]objectType{
		"rolling_update": {tag: "rolling_update", fields: rolling, slips: slips},
		"rolling":        {tag: "rolling", fields: rolling, slips: slips},
		"canary":         {tag: "canary", fields: []field{{name: "type", required: true}, {name: "steps", kind: objects, of: []string{"canary_step"}}}},
		"canary_step":    {fields: []field{{name: "weight_percentage", kind: whole, required: true}, {name: "pause_duration", kind: whole, unit: seconds}}},
		"blue_green":     {tag: "blue_green", fields: []field{{name: "type", required: true}, {name: "enable_auto_promotion", kind: flag}, {name: "auto_promotion_seconds", kind: whole, unit: seconds}}},
	}
}

func mountTypes() map[string]objectType {
	return map[string]objectType{
		"secret":       {tag: "secret", fields: []field{{name: "type", required: true}, {name: "mount_path", required: true}, {name: "secret_fqn", required: true}}},
		"string":       {tag: "string", fields: []field{{name: "type", required: true}, {name: "mount_path", required: true}, {name: "data", required: true}}},
		"volume_mount": {tag: "volume", fields: []field{{name: "type", required: true}, {name: "mount_path", required: true}, {name: "sub_path"}, {name: "volume_fqn", required: true}}},
	}
}
