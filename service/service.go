package service

// A Service is a program that answers requests, as TrueFoundry's Service and a document of the type
// service are.
type Service struct {
	// Name is that of the Deployment, its container and the Service: up to 63 lower case letters,
	// digits and "-". Required.
	Name string `yaml:"name"`
	// Image is what runs: an [Image] or a [Build]. Required.
	Image ImageSource `yaml:"image"`
	// Ports are those that the program listens on. Without any there is no Service. Default: none.
	Ports []Port `yaml:"ports,always"`
	// Replicas is a [Count] or a [ServiceAutoscaling]. Default 1.
	Replicas Replicas `yaml:"replicas"`
	// Resources are requests and limits. Default: those that its fields name.
	Resources *Resources `yaml:"resources"`
	// Env are variables by their names. A value may refer to another one as $(NAME); those that do
	// come after those that do not, and else they are in the order of their names. A value of the
	// form tfy-secret://TENANT:GROUP:KEY is the key of the Secret GROUP. Default: none.
	Env map[string]string `yaml:"env"`
	// LivenessProbe restarts a container that fails it. Default: none.
	LivenessProbe *HealthProbe `yaml:"liveness_probe"`
	// ReadinessProbe keeps requests away from a replica that fails it. Default: none, so that a
	// replica gets requests from its start on.
	ReadinessProbe *HealthProbe `yaml:"readiness_probe"`
	// StartupProbe holds the others back until it has succeeded once. Default: none.
	StartupProbe *HealthProbe `yaml:"startup_probe"`
	// RolloutStrategy is a [Rolling], a [Canary] or a [BlueGreen]. Default: Rolling, with its
	// defaults.
	RolloutStrategy RolloutStrategy `yaml:"rollout_strategy"`
	// Mounts are files and folders that the program finds. Default: none.
	Mounts []Mount `yaml:"mounts"`
	// Labels are those of the Deployment and its Pods. Those whose names begin with tfy_ are for
	// TrueFoundry's pages, and are not applied. Default: none but app, which has the name.
	Labels map[string]string `yaml:"labels"`
	// WorkspaceFQN is CLUSTER:WORKSPACE; the workspace is the namespace. Default: that of the
	// target.
	WorkspaceFQN string `yaml:"workspace_fqn"`
	// ServiceAccount is the name of the Pods' account. Default: that of the namespace.
	ServiceAccount string `yaml:"service_account"`

	// AllowInterception asks for a sidecar of TrueFoundry's. It is not applied. Default false.
	AllowInterception bool `yaml:"allow_interception"`
	// AutoShutdown stops a service that nobody asks. It is not applied. Default: never.
	AutoShutdown *AutoShutdown `yaml:"auto_shutdown"`
	// ArtifactsDownload fetches models before the start, in the form of TrueFoundry's documents. It
	// is not applied. Default: none.
	ArtifactsDownload map[string]any `yaml:"artifacts_download"`
	// Kustomize patches what TrueFoundry makes, in the form of its documents. It is not applied.
	// Default: none.
	Kustomize map[string]any `yaml:"kustomize"`
}

// A Port is one that the program listens on. Probes reach the Pod directly, whatever Host, Path and
// Auth say.
type Port struct {
	// Port is its number, 1 to 65535. Default 80.
	Port int `yaml:"port"`
	// Protocol is "TCP" or "UDP". Default "TCP".
	Protocol string `yaml:"protocol"`
	// AppProtocol is what is spoken: "http", "grpc" or "tcp". Default "http".
	AppProtocol string `yaml:"app_protocol"`
	// Expose has TrueFoundry make an address for users. It belongs to an ingress and is not
	// applied. Default: true there.
	Expose *bool `yaml:"expose"`
	// Host, Path and RewritePathTo are the address of an ingress. They are not applied, and any
	// text is taken. Default: none.
	Host          string `yaml:"host"`
	Path          string `yaml:"path"`
	RewritePathTo string `yaml:"rewrite_path_to"`
	// Auth is who may ask an ingress: a [BasicAuth], a [JWTAuth] or a [TrueFoundryOAuth]. It is not
	// applied. Default: everybody.
	Auth Auth `yaml:"auth"`
}

// An Auth is a way to ask who sends a request.
type Auth interface{ auth() }

// BasicAuth is a name and a password.
type BasicAuth struct {
	Username string `yaml:"username"`
	Password string `yaml:"password"`
}

// JWTAuth is a token that an integration of TrueFoundry's knows.
type JWTAuth struct {
	IntegrationFQN  string         `yaml:"integration_fqn"`
	EnableLogin     bool           `yaml:"enable_login"`
	Claims          map[string]any `yaml:"claims"`
	BypassAuthPaths []string       `yaml:"bypass_auth_paths"`
}

// TrueFoundryOAuth is a login at TrueFoundry.
type TrueFoundryOAuth struct {
	BypassAuthPaths []string `yaml:"bypass_auth_paths"`
}

func (BasicAuth) auth()        {}
func (JWTAuth) auth()          {}
func (TrueFoundryOAuth) auth() {}

// Replicas is how many there are: a [Count] or a [ServiceAutoscaling].
type Replicas interface{ replicas() }

// Count is a fixed number of replicas.
type Count int

// ServiceAutoscaling lets the number follow a metric. Here the least number runs; bounds and
// metrics are not applied.
type ServiceAutoscaling struct {
	// MinReplicas is the least number. Default 1.
	MinReplicas int `yaml:"min_replicas"`
	// MaxReplicas is the largest number.
	MaxReplicas int `yaml:"max_replicas"`
	// PollingInterval is how often the metric is looked at, in seconds. Default 30 there.
	PollingInterval int `yaml:"polling_interval"`
	// Metrics is a [CPUUtilizationMetric], an [RPSMetric] or a [CronMetric].
	Metrics Metric `yaml:"metrics"`
}

func (Count) replicas()              {}
func (ServiceAutoscaling) replicas() {}

// A Metric is what the number of replicas follows.
type Metric interface{ metric() }

// CPUUtilizationMetric is the use of the requested CPU, in percent.
type CPUUtilizationMetric struct {
	Value float64 `yaml:"value"`
}

// RPSMetric is requests a second of each replica.
type RPSMetric struct {
	Value float64 `yaml:"value"`
}

// CronMetric is a number of replicas from Start to End, both as cron has them, in a time zone (UTC
// by default).
type CronMetric struct {
	DesiredReplicas int    `yaml:"desired_replicas"`
	Start           string `yaml:"start"`
	End             string `yaml:"end"`
	Timezone        string `yaml:"timezone"`
}

func (CPUUtilizationMetric) metric() {}
func (RPSMetric) metric()            {}
func (CronMetric) metric()           {}

// AutoShutdown is how long nobody asks before a service is stopped.
type AutoShutdown struct {
	// WaitTime is in seconds. Default 900 there.
	WaitTime int `yaml:"wait_time"`
}
