package guard

import (
	"bytes"
	"cmp"
	"context"
	"log"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/probity-run/probity/internal/origin"
)

// Options says for whom and for what a guard stands.
type Options struct {
	// Port is the one that clients connect to.
	Port uint16
	// Address is where the API listens besides 127.0.0.1 and ::1. The zero value is nowhere.
	Address netip.Addr
	// IsToken reports whether a client has shown the token. It is called from many goroutines, and
	// has to take the same time for every wrong one.
	IsToken func(shown string) bool
	// Refuse writes an answer that says why a request is refused. The header Retry-After is there
	// already. The default writes JSON.
	Refuse func(w http.ResponseWriter, r *http.Request, reason *apierrors.StatusError)
	// Logger gets what net/http has to say: a panic of a handler as an error, and clients that do
	// not get as far as a request at debug level. The default discards it.
	Logger *slog.Logger
	// Limits bound what clients can use up.
	Limits Limits
}

// Limits bound what clients can use up. The zero value of each is its default.
type Limits struct {
	// Connections is how many may be open, in all listeners together. If one more comes, that one
	// is closed which is the oldest of those on which no token was shown; if there is none, the
	// new one waits. The default is 512.
	Connections int
	// ProofTimeout is how long a connection may be open on which no token was shown. The default
	// is 10 s.
	ProofTimeout time.Duration
	// HeadTimeout is how long the head of a request may take, and a TLS handshake. The default is
	// 10 s.
	HeadTimeout time.Duration
	// HeadBytes is how long a head may be. The default is 64 KiB.
	HeadBytes int
	// BodyTimeout is how long the body of a request may take. The default is 60 s.
	BodyTimeout time.Duration
	// BodyBytes is how long a body may be. The default is 3 MiB, as in a cluster.
	BodyBytes int64
	// IdleTimeout is how long a connection is kept that has no request. The default is 90 s.
	IdleTimeout time.Duration
	// Watches is how many may be open. The default is 256.
	Watches int
	// Follows is how many logs and attempts of probes may be followed: two of each of 512 Pods by
	// default. They take no watches away, as one client may follow all Pods.
	Follows int
	// Streams is how many there may be of exec, attach and port-forward. The default is 64.
	Streams int
}

func (l Limits) withDefaults() Limits {
	return Limits{
		Connections:  cmp.Or(l.Connections, 512),
		ProofTimeout: cmp.Or(l.ProofTimeout, 10*time.Second),
		HeadTimeout:  cmp.Or(l.HeadTimeout, 10*time.Second),
		HeadBytes:    cmp.Or(l.HeadBytes, 64<<10),
		BodyTimeout:  cmp.Or(l.BodyTimeout, 60*time.Second),
		BodyBytes:    cmp.Or(l.BodyBytes, 3<<20),
		IdleTimeout:  cmp.Or(l.IdleTimeout, 90*time.Second),
		Watches:      cmp.Or(l.Watches, 256),
		Follows:      cmp.Or(l.Follows, 1024),
		Streams:      cmp.Or(l.Streams, 64),
	}
}

// Guard guards one API. [New] makes one; it is safe for concurrent use, and has no goroutine.
type Guard struct {
	opts    Options
	hosts   origin.Server
	clients *clients
	watches slots
	follows slots
	streams slots
}

// New makes a guard.
func New(opts Options) *Guard {
	opts.Limits = opts.Limits.withDefaults()
	if opts.Refuse == nil {
		opts.Refuse = writeStatus
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	return &Guard{
		opts:    opts,
		hosts:   origin.Server{Scheme: "https", Port: opts.Port, Address: opts.Address},
		clients: newClients(opts.Limits),
		watches: slots{most: int64(opts.Limits.Watches), what: "watches"},
		follows: slots{most: int64(opts.Limits.Follows), what: "logs and attempts of probes that are followed"},
		streams: slots{most: int64(opts.Limits.Streams), what: "streams"},
	}
}

// What HTTP/2 may keep of what a client sends, before anybody knows whether it has the token:
// frames are no longer than every client has to cope with, and net/http's own megabyte for each
// connection would be half a gigabyte in all. Requests at a time on a connection are as many as in
// a cluster; clients that want more make another.
const (
	maxFrame    = 16 << 10
	maxUnread   = 64 << 10
	maxRequests = 100
)

// Server returns a server that passes on to next what a guard lets in. Its TLSConfig is to be set,
// and it has to serve listeners that [Guard.Listener] returned.
func (g *Guard) Server(next http.Handler) *http.Server {
	return &http.Server{
		Handler:                      g.Handler(next),
		ReadHeaderTimeout:            g.opts.Limits.HeadTimeout,
		MaxHeaderBytes:               g.opts.Limits.HeadBytes,
		IdleTimeout:                  g.opts.Limits.IdleTimeout,
		ConnContext:                  withClient,
		DisableGeneralOptionsHandler: true, // it answers OPTIONS * itself
		ErrorLog:                     log.New(serverLog{g.opts.Logger}, "", 0),
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams:          maxRequests,
			MaxReadFrameSize:              maxFrame,
			MaxReceiveBufferPerConnection: maxUnread,
			MaxReceiveBufferPerStream:     maxUnread,
		},
	}
}

// serverLog is where net/http logs to.
type serverLog struct{ logger *slog.Logger }

// Write implements [io.Writer].
func (l serverLog) Write(line []byte) (int, error) {
	level := slog.LevelError
	if bytes.HasPrefix(line, []byte("http: TLS handshake error")) {
		level = slog.LevelDebug // somebody who does not trust the certificate, or speaks no TLS
	}
	l.logger.Log(context.Background(), level, "The server of the API has a problem", "problem", string(bytes.TrimSpace(line)))
	return len(line), nil
}
