package compose

import (
	"time"
)

// A Project is what a Compose file says, with what it includes and extends.
type Project struct {
	// Name is that of the field name, or "".
	Name string
	// Services are those that are active, each behind those that it depends on.
	Services []*Service
}

// A Service is one service of a Compose file. What is not said is zero.
type Service struct {
	Name string
	At   Place

	Image string
	// Build is whether there is something to build, and Context its folder.
	Build   bool
	Context string
	// Entrypoint and Command are split into words. EmptyEntrypoint means that the image's own
	// ENTRYPOINT is taken away.
	Entrypoint, Command []Word
	EmptyEntrypoint     bool
	EntrypointAt        Place
	Environment         []Variable
	Ports               []Port
	Expose              []Port
	Healthcheck         *Healthcheck
	DependsOn           []Dependency
	// Restart is no, always, on-failure or unless-stopped; Retries is the number after on-failure.
	Restart    string
	RestartAt  Place
	Retries    int
	StopPeriod time.Duration // stop_grace_period
	StopAt     Place
	StopSignal string // as Kubernetes calls it: SIGTERM
	SignalAt   Place
	WorkingDir string
	DirAt      Place
	Hostname   Word
	User       Word
	Labels     []Variable
	// Annotations hold those of probity.run among labels and annotations.
	Annotations []Variable
	// Replicas is nil if nothing is said, then it is one.
	Replicas   *int
	ReplicasAt Place
	Update     *Update
	Limits     Resources
	Requests   Resources
	// completes means that another service waits for this one to end.
	completes bool
}

// A Word is a part of a command line, with its place.
type Word struct {
	Text string
	At   Place
}

// A Variable is a name with a value.
type Variable struct {
	Name, Value string
	At          Place
}

// A Port is one of a container. Published is 0 if only other services reach it.
type Port struct {
	Target, Published int
	Protocol          string // tcp or udp
	At                Place
}

// A Dependency is a service that has to come first.
type Dependency struct {
	Service string
	// Condition is service_started, service_healthy or service_completed_successfully.
	Condition string
	Required  bool
	At        Place
}

// Update is how replicas are replaced.
type Update struct {
	Parallelism int
	StartFirst  bool
	At          Place
}

// Resources are in Kubernetes' notation.
type Resources struct {
	CPU, Memory Word
}

// program is the command line of a container as Kubernetes divides it: an empty command there is
// the image's ENTRYPOINT. Where that is taken away, the first word of Compose's command is the
// program.
func (s *Service) program() (command, args []Word) {
	if s.EmptyEntrypoint {
		return s.Command, nil
	}
	return s.Entrypoint, s.Command
}

// words are the command line of a service, as far as the file knows it.
func (s *Service) words() []string {
	var words []string
	for _, list := range [][]Word{s.Entrypoint, s.Command} {
		for _, w := range list {
			words = append(words, w.Text)
		}
	}
	return words
}
