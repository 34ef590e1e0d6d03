package draft

import "strings"

// The probes of a container, by their fields, in the order in which a kubelet asks them.
const (
	Startup   = "startupProbe"
	Readiness = "readinessProbe"
	Liveness  = "livenessProbe"
)

// Probes are all three.
func Probes() []string { return []string{Startup, Readiness, Liveness} }

// The handlers of a probe, by their fields.
const (
	HTTP = "httpGet"
	TCP  = "tcpSocket"
	GRPC = "grpc"
	Exec = "exec"
)

// Handlers are all four, with the words for people.
func Handlers() [][2]string {
	return [][2]string{{HTTP, "HTTP request"}, {TCP, "TCP connection"}, {GRPC, "gRPC health"}, {Exec, "Command"}}
}

// Kind is how a parameter is written.
type Kind int

// The kinds.
const (
	Text   Kind = iota
	Port        // a number, or the name of a declared port; of gRPC a number
	Number      // a whole number
	Choice      // one of few words
	Lines       // several lines
	Words       // a line of words, as for a shell
)

// Parameter is a field of a probe.
type Parameter struct {
	// Name is its path below the probe, as in httpGet.path; Handler is the one that has it, "" for
	// all.
	Name, Handler string
	Label         string
	// Help is one line, Unit stands behind the number.
	Help, Unit string
	// Default is what an empty field means, in numbers or words; "" if there is none.
	Default string
	Kind    Kind
	// Choices of a Choice; the default comes first.
	Choices []string
}

// acts is what follows when a probe has failed often enough.
func acts(probe string) string {
	if probe == Readiness {
		return "it takes no requests"
	}
	return "it is restarted"
}

// handlerParameters are what is asked, by handler.
func handlerParameters() []Parameter {
	return []Parameter{
		{Name: "httpGet.path", Handler: HTTP, Label: "Path", Help: "200 to 399 is success.", Default: "/"},
		{Name: "httpGet.port", Handler: HTTP, Label: "Port", Help: "A declared port, or a number.", Kind: Port},
		{Name: "httpGet.scheme", Handler: HTTP, Label: "Scheme", Help: "Certificates are not checked.", Kind: Choice, Choices: []string{"HTTP", "HTTPS"}, Default: "HTTP"},
		{Name: "httpGet.host", Handler: HTTP, Label: "Host", Help: "Better left out: the Pod itself.", Default: "the Pod"},
		{Name: "httpGet.httpHeaders", Handler: HTTP, Label: "Headers", Help: "One a line, as Name: value.", Kind: Lines},
		{Name: "tcpSocket.port", Handler: TCP, Label: "Port", Help: "A connection is success. A process that hangs still takes connections.", Kind: Port},
		{Name: "tcpSocket.host", Handler: TCP, Label: "Host", Help: "Better left out: the Pod itself.", Default: "the Pod"},
		{Name: "grpc.port", Handler: GRPC, Label: "Port", Help: "A number.", Kind: Port},
		{Name: "grpc.service", Handler: GRPC, Label: "Service", Help: "What is asked about; SERVING is success.", Default: "the server as a whole"},
		{Name: "exec.command", Handler: Exec, Label: "Command", Help: "Words, quoted as for a shell. Exit code 0 is success; there is no shell.", Kind: Words},
	}
}

// Parameters are the fields of a probe. grace is the Pod's terminationGracePeriodSeconds.
func Parameters(probe, grace string) []Parameter {
	list := handlerParameters()
	number := func(name, label, help, unit, otherwise string) {
		list = append(list, Parameter{Name: name, Label: label, Help: help, Unit: unit, Default: otherwise, Kind: Number})
	}
	number("initialDelaySeconds", "Initial delay", "Wait after the start before the first attempt.", "s", "0")
	number("periodSeconds", "Period", "From one attempt to the next.", "s", "10")
	number("timeoutSeconds", "Timeout", "No answer by then is a failure.", "s", "1")
	number("failureThreshold", "Failure threshold", "Failures in a row until "+acts(probe)+".", "in a row", "3")
	number("successThreshold", "Success threshold", "Successes in a row to count as healthy again.", "in a row", "1")
	if probe != Readiness { // R182
		number("terminationGracePeriodSeconds", "Grace period", "For this probe's kill. Default: the Pod's "+grace+" s.", "s", grace)
	}
	return list
}

// About says in a few words what a probe is for.
func About(probe string) string {
	switch probe {
	case Startup:
		return "asks whether the container has started. Until it succeeds the other two wait; if it fails too often the container is killed and started again."
	case Readiness:
		return "asks whether requests may come. After enough failures in a row the Pod gets none, until it succeeds again; nothing is restarted."
	}
	return "asks whether only a restart can help. After enough failures in a row the container is killed and started again. It should not ask a database."
}

// Title is the name of a probe for people: Startup, Readiness or Liveness.
func Title(probe string) string {
	word := strings.TrimSuffix(probe, "Probe")
	return strings.ToUpper(word[:1]) + word[1:]
}
