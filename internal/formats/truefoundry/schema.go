package truefoundry

import "maps"

// kind is what a value of a field may be.
type kind int

const (
	text     kind = iota // a string; numbers and booleans are taken as they are written
	number               // with or without a fraction; older files have it in quotes
	whole                // a number without a fraction
	flag                 // true or false
	command              // a string of words, or a list of words
	texts                // a list of strings
	textMap              // strings by name
	object               // one of the objects of the field
	objects              // a list of them
	replicas             // a number, or one of the objects
	anything
)

// unit is what a number counts, as a person writes it; empty if it is a plain number.
type unit string

const (
	cores     unit = "cores"
	megabytes unit = "MB"
	gigabytes unit = "GB"
	seconds   unit = "seconds"
)

// A field is a field of an object of the format.
type field struct {
	name string
	kind kind
	// of are the names of the objects that it may have, words those that a string may be.
	of, words []string
	required  bool
	// least is the smallest number that makes sense; most is the largest one that TrueFoundry is
	// said to take, more is worth a warning.
	least, most int64
	unit        unit // what a number counts
	// idle is why the field has no meaning here; empty if it has one.
	idle string
}

// An objectType is an object of the format. Where a field may have one of several, type tells which
// it is.
type objectType struct {
	tag    string // value of its type; empty if it has none
	fields []field
	// slips are what people write from memory instead of a field, and the right form.
	slips map[string]string
}

// Why a field is not applied, where several share the reason.
const (
	byIngress   = "it belongs to an ingress: here the Service's port is reached directly, and so do probes"
	byBuild     = "nothing is built here: what runs is the command"
	byTheirs    = "only TrueFoundry's own controllers know it"
	oneSize     = "nothing scales here: the least number of replicas runs"
	oneMachine  = "there is one machine, and nothing is scheduled"
	byRollingUp = "here it is rolled out by RollingUpdate, as a Deployment is"
)

const probeForm = "config: {type: http, path: /health, port: 8000}"

// objectTypes are all objects of the format, by names of our own.
func objectTypes() map[string]objectType {
	const templated = "a set that is filled in from a template is not read here: write the components that it stands for"
	all := map[string]objectType{
		"service": serviceType(),
		"application-set": {tag: "application-set", fields: []field{{name: "type"}, {name: "name", required: true}, {name: "components", kind: anything, required: true}, {name: "workspace_fqn"}},
			slips: map[string]string{"template": templated, "values": templated, "convert_template_manifest": templated}},
		"probe":     probeType(),
		"port":      portType(),
		"resources": resourcesType(),
		"volume": {tag: "volume", fields: []field{{name: "type"}, {name: "name", required: true}, {name: "config", kind: object, of: []string{"dynamic", "static"}},
			{name: "storage_class"}, {name: "size", kind: whole, least: 1, unit: gigabytes}, {name: "workspace_fqn"}, {name: "volume_browser", kind: anything, idle: byTheirs}}},
		"dynamic": {tag: "dynamic", fields: []field{{name: "type"}, {name: "storage_class", required: true}, {name: "size", kind: whole, least: 1, unit: gigabytes, required: true}}},
		"static":  {tag: "static", fields: []field{{name: "type"}, {name: "persistent_volume_name", required: true}}},
	}
	for _, more := range []map[string]objectType{handlerTypes(), imageTypes(), rolloutTypes(), scaleTypes(), mountTypes(), nodeTypes(), authTypes()} {
		maps.Copy(all, more)
	}
	return all
}

func serviceType() objectType {
	const probes = "write liveness_probe and readiness_probe, each as {" + probeForm + "}"
	const inResources = "write resources: {cpu_request: 0.2, cpu_limit: 0.5, memory_request: 200, memory_limit: 500}"
	const build = "write image: {type: build, build_source: {type: local}, build_spec: {type: dockerfile}}"
	return objectType{tag: "service", fields: []field{
		{name: "type"}, {name: "name", required: true},
		{name: "image", kind: object, of: []string{"image", "build"}, required: true},
		{name: "ports", kind: objects, of: []string{"port"}, required: true},
		{name: "replicas", kind: replicas, of: []string{"autoscaling"}},
		{name: "resources", kind: object, of: []string{"resources"}},
		{name: "env", kind: textMap},
		{name: "liveness_probe", kind: object, of: []string{"probe"}},
		{name: "readiness_probe", kind: object, of: []string{"probe"}},
		{name: "startup_probe", kind: object, of: []string{"probe"}},
		{name: "rollout_strategy", kind: object, of: []string{"rolling_update", "rolling", "canary", "blue_green"}},
		{name: "mounts", kind: objects, of: []string{"secret", "string", "volume_mount"}},
		{name: "labels", kind: textMap}, {name: "workspace_fqn"}, {name: "service_account"},
		{name: "allow_interception", kind: flag, idle: "it asks for a sidecar of TrueFoundry's"},
		{name: "auto_shutdown", kind: object, of: []string{"auto_shutdown"}, idle: "nothing is shut down when it is idle"},
		{name: "artifacts_download", kind: anything, idle: "nothing is downloaded: put what the program needs where it looks for it"},
		{name: "kustomize", kind: anything, idle: byTheirs},
	}, slips: map[string]string{
		"health_check": probes, "health_checks": probes, "healthcheck": probes, "health_probe": probes, "probes": probes,
		"requests": inResources, "limits": inResources, "node_selector": "write resources.node: {type: node_selector, instance_families: […]}",
		"build": build, "build_spec": build, "build_source": build,
		"deploy": "its fields belong at the top: replicas, resources, env", "port": "write ports: [{port: 8000}]",
		"command": "it belongs in image (type: image) or in image.build_spec (type: build)", "namespace": "write workspace_fqn: CLUSTER:WORKSPACE",
		"autoscaling": "write replicas: {min_replicas: 1, max_replicas: 3}", "environment": "write env: {NAME: value}", "kind": "there is type alone, leave it out", "components": "they belong to type: application-set", "cache_volume": "it belongs in artifacts_download", "volumes": "write mounts: [{type: volume, mount_path: …, volume_fqn: …}]",
	}}
}

func probeType() objectType {
	inConfig := "it belongs in config, as in " + probeForm
	return objectType{fields: []field{
		{name: "config", kind: object, of: []string{"http", "tcp", "command", "exec", "grpc"}, required: true},
		{name: "initial_delay_seconds", kind: whole, most: 36000, unit: seconds}, {name: "period_seconds", kind: whole, least: 1, most: 36000, unit: seconds}, {name: "timeout_seconds", kind: whole, least: 1, most: 36000, unit: seconds},
		{name: "success_threshold", kind: whole, least: 1, most: 100}, {name: "failure_threshold", kind: whole, least: 1, most: 100},
	}, slips: map[string]string{
		"path": inConfig, "port": inConfig, "host": inConfig, "scheme": inConfig, "type": inConfig,
		"http_get": "write " + probeForm, "httpGet": "write " + probeForm, "http": "write " + probeForm, "tcp_socket": "write config: {type: tcp, port: 8000}",
		"exec": "write config: {type: command, command: [./check]}",
	}}
}

// handlerTypes are what a probe may ask. exec and grpc are of ours: TrueFoundry has no form of
// them.
func handlerTypes() map[string]objectType {
	return map[string]objectType{
		"http":    {tag: "http", fields: []field{{name: "type", required: true}, {name: "path", required: true}, {name: "port", kind: whole, required: true}, {name: "host"}, {name: "scheme", words: []string{"HTTP", "HTTPS"}}}},
		"tcp":     {tag: "tcp", fields: []field{{name: "type", required: true}, {name: "port", kind: whole, required: true}}},
		"command": {tag: "command", fields: []field{{name: "type", required: true}, {name: "command", kind: command, required: true}}},
		"exec":    {tag: "exec", fields: []field{{name: "type", required: true}, {name: "command", kind: command, required: true}}},
		"grpc":    {tag: "grpc", fields: []field{{name: "type", required: true}, {name: "port", kind: whole, required: true}, {name: "service"}}},
	}
}

func portType() objectType {
	return objectType{fields: []field{
		{name: "port", kind: whole}, {name: "protocol", words: []string{"TCP", "UDP"}}, {name: "app_protocol", words: []string{"http", "grpc", "tcp"}},
		{name: "expose", kind: flag, idle: byIngress}, {name: "host", idle: byIngress}, {name: "path", idle: byIngress + "; the program gets no TFY_SERVICE_ROOT_PATH"}, {name: "rewrite_path_to", idle: byIngress},
		{name: "auth", kind: object, of: []string{"basic_auth", "jwt_auth", "truefoundry_oauth"}, idle: byIngress},
	}, slips: map[string]string{"container_port": "write port", "target_port": "write port", "number": "write port", "name": "a port has no name: leave it out"}}
}

func authTypes() map[string]objectType {
	return map[string]objectType{
		"basic_auth":        {tag: "basic_auth", fields: []field{{name: "type"}, {name: "username", required: true}, {name: "password", required: true}}},
		"jwt_auth":          {tag: "jwt_auth", fields: []field{{name: "type"}, {name: "integration_fqn", required: true}, {name: "enable_login", kind: flag}, {name: "claims", kind: anything}, {name: "bypass_auth_paths", kind: texts}}},
		"truefoundry_oauth": {tag: "truefoundry_oauth", fields: []field{{name: "type"}, {name: "bypass_auth_paths", kind: texts}}},
	}
}

func imageTypes() map[string]objectType {
	const buildForm = "write type: build, build_source: {type: local}, build_spec: {type: dockerfile}"
	const git = "write type: git, repo_url: …, ref: …, branch_name: …"
	return map[string]objectType{
		"image": {tag: "image", fields: []field{{name: "type", required: true}, {name: "image_uri", required: true}, {name: "docker_registry", idle: "no image is pulled"}, {name: "command", kind: command}},
			slips: map[string]string{"uri": "write image_uri", "image": "write image_uri", "build": buildForm, "repository": "write image_uri", "tag": "it is a part of image_uri"}},
		"build": {tag: "build", fields: []field{{name: "type", required: true}, {name: "docker_registry", idle: byBuild},
			{name: "build_source", kind: object, of: []string{"local", "git", "remote"}}, {name: "build_spec", kind: object, of: []string{"dockerfile", "tfy-python-buildpack"}, required: true}},
			slips: map[string]string{"build": buildForm, "dockerfile_path": "it belongs in build_spec", "command": "it belongs in build_spec", "image_uri": "an image that is there has type: image"}},
		"local":  {tag: "local", fields: []field{{name: "type", required: true}, {name: "project_root_path"}, {name: "local_build", kind: flag}}},
		"git":    {tag: "git", fields: []field{{name: "type", required: true}, {name: "repo_url", required: true}, {name: "ref", required: true}, {name: "branch_name"}}, slips: map[string]string{"branch": git, "repo": git, "url": git, "commit": git}},
		"remote": {tag: "remote", fields: []field{{name: "type", required: true}, {name: "remote_uri", required: true}}},
		"dockerfile": {tag: "dockerfile", fields: []field{{name: "type", required: true}, {name: "dockerfile_path", idle: byBuild}, {name: "build_context_path"}, {name: "command", kind: command},
			{name: "build_args", kind: textMap, idle: byBuild}, {name: "build_secrets", kind: anything, idle: byBuild}},
			slips: map[string]string{"build_context": "write build_context_path", "context": "write build_context_path", "dockerfile": "write dockerfile_path", "path": "write dockerfile_path"}},
		"tfy-python-buildpack": {tag: "tfy-python-buildpack", fields: []field{{name: "type", required: true}, {name: "command", kind: command, required: true}, {name: "build_context_path"},
			{name: "python_version", idle: byBuild}, {name: "requirements_path", idle: byBuild}, {name: "pip_packages", kind: texts, idle: byBuild},
			{name: "python_dependencies", kind: anything, idle: byBuild}, {name: "apt_packages", kind: texts, idle: byBuild}, {name: "cuda_version", idle: byBuild}},
			slips: map[string]string{"build_context": "write build_context_path", "context": "write build_context_path"}},
	}
}
