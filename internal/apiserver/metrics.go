package apiserver

import (
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/probity-run/probity/internal/apiserver/scrape"
	"github.com/probity-run/probity/internal/metrics"
)

// serveMetrics answers a scrape. It returns false for other paths.
func (s *Server) serveMetrics(w http.ResponseWriter, r *http.Request) bool {
	write := scrape.Write
	switch r.URL.Path {
	case "/metrics":
	case "/metrics/probes":
		write = scrape.WriteProbes
	default:
		return false
	}
	if c := (&call{server: s, w: w, r: r}); c.onlyRead() {
		return true
	}
	header := w.Header()
	header.Set("Content-Type", metrics.ContentType)
	header.Set("Cache-Control", "no-store")
	header.Set("Vary", "Accept-Encoding")
	zip := strings.Contains(r.Header.Get("Accept-Encoding"), "gzip")
	if zip {
		header.Set("Content-Encoding", "gzip")
	}
	if r.Method == http.MethodHead {
		return true
	}
	tell := func(out io.Writer) error { return write(out, s.sources()) }
	var err error
	if zip {
		err = zipped(w, tell)
	} else {
		err = tell(w)
	}
	if err != nil {
		s.opts.Logger.Debug("A scrape broke off", "error", err)
	}
	return true
}

func (s *Server) sources() scrape.Sources {
	return scrape.Sources{Store: s.opts.Store, History: s.opts.History, Traffic: s.opts.Traffic, Requests: &s.requests, Version: s.opts.Version}
}

// zipped writes something compressed. The compressor is most of a megabyte, and is not kept from one
// scrape to the next: what is garbage for five seconds costs less than what is there all the time.
func zipped(out io.Writer, write func(io.Writer) error) error {
	zipper, err := gzip.NewWriterLevel(out, gzip.BestSpeed)
	if err != nil {
		return err
	}
	return errors.Join(write(zipper), zipper.Close())
}
