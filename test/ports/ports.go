// Package ports hands out the numbers of TCP ports to tests whose programs are to listen there
// soon.
package ports

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// The kernel gives higher numbers to outgoing connections and to those who listen at any port, and
// Probity to its Pods: a number from there may be taken before its program starts.
const (
	lowest  = 10000
	highest = 29999
)

// tries bounds how many numbers are tried for one port.
const tries = 200

// Free returns a port at which nobody listens, at no address of the machine. No other caller gets
// the number before the test ends, in no process.
func Free(t testing.TB) int {
	t.Helper()
	port, release, err := Reserve()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	return port
}

// Reserve is [Free] for who has no test: the number is the caller's until release, or until the
// process ends.
func Reserve() (port int, release func(), err error) {
	var errs []error
	for range tries {
		port := lowest + rand.IntN(highest-lowest+1)
		release, err := reserve(port)
		if err == nil {
			return port, release, nil
		}
		errs = append(errs, err)
	}
	return 0, nil, fmt.Errorf("no free port from %d to %d: %w", lowest, highest, errors.Join(errs...))
}

// reserve reserves one number. The UDP port of the same number is the lock, which the kernel opens
// when its holder dies.
func reserve(port int) (release func(), err error) {
	lock, err := net.ListenPacket("udp4", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return nil, err
	}
	for _, address := range []string{"127.0.0.1", ""} {
		listener, err := net.Listen("tcp", fmt.Sprintf("%s:%d", address, port))
		if err != nil {
			return nil, errors.Join(err, lock.Close())
		}
		if err := listener.Close(); err != nil {
			return nil, errors.Join(err, lock.Close())
		}
	}
	return func() { _ = lock.Close() }, nil
}
