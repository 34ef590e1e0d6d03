package apiserver

import (
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"net/netip"
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
	zip := wantsZip(r)
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

// wantsZip reports whether an answer is compressed: if the client takes that and is not on this
// machine, as Prometheus usually is. There it would save nothing and take 1 to 2 MB for ever.
func wantsZip(r *http.Request) bool {
	client, err := netip.ParseAddrPort(r.RemoteAddr)
	isHere := err == nil && client.Addr().Unmap().IsLoopback()
	return !isHere && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip")
}

// zipped writes something compressed.
func zipped(out io.Writer, write func(io.Writer) error) error {
	zipper, err := gzip.NewWriterLevel(out, gzip.BestSpeed)
	if err != nil {
		return err
	}
	return errors.Join(write(zipper), zipper.Close())
}
