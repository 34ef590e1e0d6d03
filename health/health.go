package health

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"
)

const (
	defaultShutdownDelay = 5 * time.Second
	defaultDrainTimeout  = 20 * time.Second

	maxName   = 200     // bytes
	maxMisuse = 20      // mistakes that are listed
	maxPool   = 100_000 // workers
)

// Options are the settings of a [Health]. The zero value is ready to use.
type Options struct {
	// Addr is the TCP address, such as ":9090", of a listener for the probes and /metrics alone.
	// [Health.Run] opens it and closes it last. Empty means none: mount [Health.Handler] yourself.
	Addr string
	// HeartbeatFile is a file that [Health.Run] renews every few seconds while the service is live,
	// for exec probes of workers without a network interface: see [ProbeFile]. Empty means none.
	HeartbeatFile string
	// ShutdownDelay is how long the service goes on serving after it has become unready, so that
	// all that route traffic have noticed before the first connection is refused. Default 5 s in a
	// cluster, where KUBERNETES_SERVICE_HOST is set, and else none; negative means none. A service
	// that never was ready does not wait.
	ShutdownDelay time.Duration
	// DrainTimeout is how long the functions of [Health.Drain] may take, all together. Default 20
	// s.
	DrainTimeout time.Duration
	// Reveal reports whether a request may read the full errors of checks in verbose answers; they
	// can name hosts, users and queries. Nil means that none may. [FromLoopback] allows requests
	// from this machine.
	Reveal func(*http.Request) bool
	// Log gets a line for each change: a check fails or recovers, the answer to a probe changes.
	// Nil means that warnings and errors go to slog.Default, which writes to standard error. For no
	// lines at all, give it slog.DiscardHandler. A log handler that blocks delays nothing; lines
	// that find no room in the meantime are counted, and the log is told how many.
	Log *slog.Logger
}

// Health is what a service knows about its own health, and answers to probes. Make one with [New];
// the zero value is like New(Options{}). Register what matters, then call [Health.Run]. All methods
// are safe for concurrent use, and none blocks on a check.
//
// More can be registered while Run runs. What cannot be right (a name that is empty, unprintable or
// taken, a duration that is negative or lacks its unit, no function) makes Run return an error at
// once; after Run has begun it is logged and listed in verbose answers. Either way the handle that
// was returned is inert: its methods do nothing, as those of a nil handle.
type Health struct {
	options Options
	answers [3]atomic.Pointer[answer] // by Probe.index
	asked   [3][2]atomic.Uint64       // how often a probe was answered, by Probe.index and ok

	mu       sync.Mutex // guards what follows; never held while code of the user runs
	registry registry
	misuse   []error
	drains   []*Drain
	waiting  []goroutine // that Run will start
	run      *run        // nil before Run
	changed  chan struct{}
}

// New returns a Health with nothing registered. It checks nothing before [Health.Run].
func New(options Options) *Health { return &Health{options: options} }

// settings returns the options with their defaults, in a cluster or outside of one, and what is
// wrong with them.
func (o Options) settings(inCluster bool) (Options, error) {
	if o.DrainTimeout < 0 {
		return o, fmt.Errorf("cannot use DrainTimeout %v: it must not be negative", o.DrainTimeout)
	}
	if err := errors.Join(optional("DrainTimeout", o.DrainTimeout), optional("ShutdownDelay", max(o.ShutdownDelay, 0))); err != nil {
		return o, fmt.Errorf("cannot use these Options: %w", err)
	}
	if o.ShutdownDelay == 0 {
		o.ShutdownDelay = -1
		if inCluster {
			o.ShutdownDelay = defaultShutdownDelay
		}
	}
	o.ShutdownDelay = max(o.ShutdownDelay, 0)
	if o.DrainTimeout == 0 {
		o.DrainTimeout = defaultDrainTimeout
	}
	return o, nil
}

// register adds something to the registry by calling add, unless its name cannot be right or there
// is an error among problems.
func (h *Health) register(name string, add func(*registry, time.Time), problems ...error) (ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	problem := errors.Join(append(problems, h.registry.refuse(name))...)
	if problem != nil {
		h.misusedLocked(fmt.Errorf("cannot register %q: %w", name, problem))
		return false
	}
	now := time.Now()
	h.registry.take(name)
	add(&h.registry, now)
	h.publishLocked(now)
	h.wakeForNextLocked(now)
	return true
}

func (h *Health) misusedLocked(err error) {
	if len(h.misuse) == maxMisuse {
		return // it happens in a loop: what is known says enough
	}
	h.misuse = append(h.misuse, err)
	if h.run != nil {
		h.run.log.put(slog.LevelError, "Health is misused", slog.Any("error", err))
	}
}

// refuse returns why nothing can be registered by a name, or nil if it can.
func (r *registry) refuse(name string) error {
	if name == "" {
		return errors.New("it needs a name")
	}
	if len(name) > maxName {
		return fmt.Errorf("a name has at most %d bytes", maxName)
	}
	for _, char := range name {
		if !strconv.IsPrint(char) || char == '/' || char == utf8.RuneError {
			return errors.New("a name is made of printable characters, without a slash")
		}
	}
	if r.names[name] {
		return errors.New("the name is taken, choose another")
	}
	return nil
}

// notNegative returns an error if the value of a field is negative.
func notNegative[T int | time.Duration](field string, value T) error {
	if value < 0 {
		return fmt.Errorf("%s is %v, it must not be negative", field, value)
	}
	return nil
}

// only returns the one element of options, or the zero value.
func only[T any](options []T) (T, error) {
	var none T
	switch len(options) {
	case 0:
		return none, nil
	case 1:
		return options[0], nil
	}
	return none, fmt.Errorf("it has %d sets of options, give one", len(options))
}
