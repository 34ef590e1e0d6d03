package attach

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/probity-run/probity/internal/drill"
	"github.com/probity-run/probity/internal/system"
)

// HandlerOptions are those of [NewHandler].
type HandlerOptions struct {
	// System is the run. Required.
	System *system.System
	// Drill are the options of each drill that belong to the run: its files, and who watches. They
	// are asked for at the beginning of each. Required.
	Drill func() drill.Options
	// Notice gets when a drill begins and ends, for those who look at the run. Required.
	Notice func(line string)
}

// Handler answers requests for a drill of a run, one at a time. Make it with [NewHandler].
type Handler struct {
	opts HandlerOptions
	busy sync.Mutex // held by the drill that is under way
}

// NewHandler makes a handler. It has no goroutine but those of its requests.
func NewHandler(opts HandlerOptions) *Handler { return &Handler{opts: opts} }

const (
	// writeTime is how long a client may take to take a part of the answer, and closeTime how long
	// to close the request once it has the report.
	writeTime = 30 * time.Second
	closeTime = 5 * time.Second
)

// ServeHTTP drills the run. It answers 400 if that cannot be done as it is asked for, and 409 if
// there is a drill already.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var asked Request
	opts, body := h.opts.Drill(), json.NewDecoder(r.Body)
	err := body.Decode(&asked)
	if err == nil {
		err = asked.addTo(&opts)
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	if !h.busy.TryLock() {
		refuse(w, http.StatusConflict, errors.New("cannot drill the run: another drill of it is under way, and both would measure each other; try again when that is over"))
		return
	}
	defer h.busy.Unlock()
	control := http.NewResponseController(w)
	if err := errors.Join(control.EnableFullDuplex(), control.SetReadDeadline(time.Time{})); err != nil {
		refuse(w, http.StatusInternalServerError, err)
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	var reading sync.WaitGroup
	reading.Go(func() {
		defer cancel() // whatever has ended the request
		_, _ = io.Copy(io.Discard, io.MultiReader(body.Buffered(), r.Body))
	})
	h.drill(ctx, &answer{w: w, control: control, broken: cancel}, opts)
	_ = control.SetReadDeadline(time.Now().Add(closeTime)) // fails only if the client has gone
	reading.Wait()
}

// drill drills the run and answers with what comes of it.
func (h *Handler) drill(ctx context.Context, to *answer, opts drill.Options) {
	begun := false
	opts.Progress = func(line string) {
		if !begun {
			begun = true
			h.opts.Notice("probity: a drill of this run has begun: it stops, slows and cuts off Pods until it is over")
		}
		to.send(message{Progress: line})
	}
	report, err := drill.Attach(ctx, h.opts.System, opts)
	if err != nil {
		refuse(to.w, http.StatusBadRequest, err)
		return
	}
	if begun {
		h.opts.Notice("probity: the drill of this run is over")
	}
	to.send(message{Report: report})
}

func refuse(w http.ResponseWriter, status int, err error) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, err.Error()) // who has left does not get it
}

// answer is written a message at a time.
type answer struct {
	w       http.ResponseWriter
	control *http.ResponseController
	broken  func() // called when the client takes nothing any more
}

func (a *answer) send(m message) {
	err := a.control.SetWriteDeadline(time.Now().Add(writeTime))
	if err == nil {
		err = json.NewEncoder(a.w).Encode(m)
	}
	if err = errors.Join(err, a.control.Flush()); err != nil {
		a.broken()
	}
}
