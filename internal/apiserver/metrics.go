package apiserver

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"sync"

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
	zipped := strings.Contains(r.Header.Get("Accept-Encoding"), "gzip")
	if zipped {
		header.Set("Content-Encoding", "gzip")
	}
	if r.Method == http.MethodHead {
		return true
	}
	var err error
	if zipped {
		err = s.zippers.write(w, func(out io.Writer) error { return write(out, s.sources()) })
	} else {
		err = write(w, s.sources())
	}
	if err != nil {
		s.opts.Logger.Debug("A scrape broke off", "error", err)
	}
	return true
}

func (s *Server) sources() scrape.Sources {
	return scrape.Sources{Store: s.opts.Store, History: s.opts.History, Traffic: s.opts.Traffic, Requests: &s.requests, Version: s.opts.Version}
}

// zippers are compressors, each of which is most of a megabyte, for as long as the garbage
// collector leaves them.
type zippers struct{ pool sync.Pool }

// write writes something compressed.
func (z *zippers) write(out io.Writer, write func(io.Writer) error) error {
	zipper, ok := z.pool.Get().(*gzip.Writer)
	if !ok {
		zipper, _ = gzip.NewWriterLevel(out, gzip.BestSpeed) // it is a level
	}
	defer z.pool.Put(zipper)
	zipper.Reset(out)
	if err := write(zipper); err != nil {
		return err
	}
	return zipper.Close()
}
