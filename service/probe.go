package service

// A HealthProbe asks a replica how it is, again and again. The numbers have the meaning and the
// defaults of Kubernetes' probes; docs/kubelet-rules.md tells what follows from them.
type HealthProbe struct {
	// Config is what is asked: an [HttpProbe], a [TcpProbe], a [CommandProbe] or a [GrpcProbe].
	// Required.
	Config ProbeConfig `yaml:"config"`
	// InitialDelaySeconds is how long after the start of the container the first attempt is, in
	// seconds. Default 0.
	InitialDelaySeconds int `yaml:"initial_delay_seconds"`
	// PeriodSeconds is the time from attempt to attempt, in seconds, at least 1. Default 10.
	PeriodSeconds int `yaml:"period_seconds"`
	// TimeoutSeconds is how long an attempt may take, in seconds, at least 1. Default 1.
	TimeoutSeconds int `yaml:"timeout_seconds"`
	// SuccessThreshold is how many attempts in a row have to succeed until a replica that failed is
	// well again. A liveness or startup probe takes 1 alone. Default 1.
	SuccessThreshold int `yaml:"success_threshold"`
	// FailureThreshold is how many attempts in a row have to fail until something follows. Default
	// 3.
	FailureThreshold int `yaml:"failure_threshold"`
}

// A ProbeConfig is what a probe asks.
type ProbeConfig interface{ probeConfig() }

// HttpProbe sends GET. An answer from 200 to 399 is a success.
type HttpProbe struct {
	// Path is that of the URL. Required.
	Path string `yaml:"path"`
	// Port is the one that the program listens on, 1 to 65535. Required.
	Port int `yaml:"port"`
	// Host is who is asked. Default: the Pod's own address.
	Host string `yaml:"host"`
	// Scheme is "HTTP" or "HTTPS", whose certificate is not checked. Default "HTTP".
	Scheme string `yaml:"scheme"`
}

// TcpProbe opens a connection.
type TcpProbe struct {
	// Port is the one that the program listens on, 1 to 65535. Required.
	Port int `yaml:"port"`
}

// CommandProbe runs a program in the container. Exit code 0 is a success.
type CommandProbe struct {
	// Command are the program and its arguments; no shell reads them. Required.
	Command []string `yaml:"command"`
}

// GrpcProbe calls the gRPC health service. TrueFoundry has no form for it: it is an extension.
type GrpcProbe struct {
	// Port is the one that the program listens on, 1 to 65535. Required.
	Port int `yaml:"port"`
	// Service is the name that is asked about. Default: the whole server.
	Service string `yaml:"service"`
}

func (HttpProbe) probeConfig()    {}
func (TcpProbe) probeConfig()     {}
func (CommandProbe) probeConfig() {}
func (GrpcProbe) probeConfig()    {}
