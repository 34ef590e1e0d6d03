//go:build !linux

package process

import (
	"syscall"
	"time"
)

// Shepherd starts processes as [GroupStarter] does: only Linux has what a shepherd needs.
type Shepherd struct {
	GroupStarter
	done chan struct{}
}

// ShepherdOptions have no effect on this system.
type ShepherdOptions struct {
	// Remove are folders that a shepherd process would remove.
	Remove []string
	// Reaper would be a further process.
	Reaper bool
	// Notice would get what a person should know about it.
	Notice func(line string)
}

// NewShepherd never fails on this system.
func NewShepherd(ShepherdOptions) (*Shepherd, error) {
	return &Shepherd{done: make(chan struct{})}, nil
}

// Done is never closed on this system: there is nothing that could end.
func (s *Shepherd) Done() <-chan struct{} { return s.done }

// Err is nil on this system.
func (s *Shepherd) Err() error { return nil }

// Close does nothing on this system: kill each process before.
func (s *Shepherd) Close() error { return nil }

// CloseWithin does nothing on this system.
func (s *Shepherd) CloseWithin(time.Duration) error { return nil }

// TryNamespace is refused on this system.
func (s *Shepherd) TryNamespace(Namespace) error {
	return &NamespaceError{Step: StepUnshare, Err: syscall.ENOSYS}
}

// ForgetNamespace does nothing on this system.
func (s *Shepherd) ForgetNamespace(key string) error { return nil }

// IsShepherd is false on this system.
func IsShepherd(args []string) bool { return false }

// ShepherdMain is not called on this system.
func ShepherdMain() int { return 1 }

// BecomeSubreaper does nothing on this system.
func BecomeSubreaper() error { return nil }
