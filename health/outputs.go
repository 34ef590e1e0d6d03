package health

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"
)

// outputs are where Run itself shows what is known: its log, its listener, its heartbeat file. They
// end last.
type outputs struct {
	group      *group
	goroutines []goroutine
	server     *http.Server // nil without Addr
	listener   net.Listener
}

// openOutputs opens the listener and writes the heartbeat file, and starts no goroutine yet.
func openOutputs(h *Health, r *run) (outputs, error) {
	o := outputs{group: newGroup(r.group.ctx), goroutines: []goroutine{{"log", r.log.write}}}
	if path := r.options.HeartbeatFile; path != "" {
		f := heartbeatFile{path: path, h: h, log: r.log}
		if err := f.write(); err != nil {
			return o, err
		}
		o.goroutines = append(o.goroutines, goroutine{"heartbeat file", f.keep})
	}
	if r.options.Addr != "" {
		if err := o.listen(h, r); err != nil {
			return o, err
		}
	}
	switch drill, err := openDrillSocket(h, r.log); {
	case err != nil:
		r.log.put(slog.LevelError, "A drill cannot stop a loop", slog.Any("error", err)) // no reason not to serve
	case drill != nil:
		o.goroutines = append(o.goroutines, goroutine{"socket for drills", drill.serve})
	}
	return o, nil
}

// listen opens the listener at Addr.
func (o *outputs) listen(h *Health, r *run) error {
	listener, err := net.Listen("tcp", r.options.Addr)
	if err != nil {
		return fmt.Errorf("cannot listen for probes, choose another Addr: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", h.Handler())
	mux.Handle("/metrics", h.Metrics())
	o.server = &http.Server{Handler: mux, ReadTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second, IdleTimeout: time.Minute}
	o.listener = listener
	o.goroutines = append(o.goroutines, goroutine{"listener for probes", func(context.Context) {
		if err := o.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			r.fail(fmt.Errorf("cannot answer probes: %w", err))
		}
	}})
	return nil
}

func (o *outputs) start() {
	for _, g := range o.goroutines {
		o.group.start(g)
	}
}

// close ends the outputs. Answers that are being written have a second to end.
func (o *outputs) close() (err error) {
	if o.server != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if o.server.Shutdown(ctx) != nil {
			err = o.server.Close() // a prober that does not take its answer
		}
	}
	if missing := o.group.join(joinLimit); missing != nil {
		err = errors.Join(err, fmt.Errorf("cannot stop %s: it is blocked", strings.Join(missing, ", ")))
	}
	return err
}
