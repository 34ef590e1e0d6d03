package health

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// doors are the ways in which Run itself tells others: its log, its listener, its heartbeat file.
// They close last.
type doors struct {
	crew     *crew
	members  []member
	server   *http.Server // nil without Addr
	listener net.Listener
}

// openDoors gets hold of what the doors need and starts nothing yet.
func openDoors(h *Health, r *run) (doors, error) {
	d := doors{crew: newCrew(r.crew.ctx), members: []member{{"log", r.journal.write}}}
	if path := r.options.HeartbeatFile; path != "" {
		f := heartbeatFile{path: path, h: h, journal: r.journal}
		if err := f.write(); err != nil {
			return d, err
		}
		d.members = append(d.members, member{"heartbeat file", f.keep})
	}
	if r.options.Addr == "" {
		return d, nil
	}
	listener, err := net.Listen("tcp", r.options.Addr)
	if err != nil {
		return d, fmt.Errorf("cannot listen for probes, choose another Addr: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", h.Handler())
	mux.Handle("/metrics", h.Metrics())
	d.server = &http.Server{Handler: mux, ReadTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second, IdleTimeout: time.Minute}
	d.listener = listener
	d.members = append(d.members, member{"listener for probes", func(context.Context) {
		if err := d.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			r.fail(fmt.Errorf("cannot answer probes: %w", err))
		}
	}})
	return d, nil
}

func (d *doors) start() {
	for _, m := range d.members {
		d.crew.start(m)
	}
}

// close ends the doors. Answers that are being written get a second.
func (d *doors) close() (err error) {
	if d.server != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if d.server.Shutdown(ctx) != nil {
			err = d.server.Close() // a prober that does not take its answer
		}
	}
	if missing := d.crew.join(joinLimit); missing != nil {
		err = errors.Join(err, fmt.Errorf("cannot stop %s: it is blocked", strings.Join(missing, ", ")))
	}
	return err
}
