package dashboard

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

// staticPath is where the static files are. A hash of all of them follows in the path, so that a
// browser may keep each for ever: other content has another address, also that of a module which
// another one imports.
const staticPath = "/ui/static/"

//go:embed static
var embedded embed.FS

// Stylesheet is that of all pages, for a page that has to stand for itself.
func Stylesheet() ([]byte, error) { return embedded.ReadFile("static/app.css") }

// staticFiles are the style sheet and the scripts. They never change.
type staticFiles struct {
	base  string // staticPath and the hash
	files map[string]staticFile
}

type staticFile struct {
	contentType, tag string
	plain, zipped    []byte
}

// newStaticFiles reads the files. Only a mistake in the program can make it panic, which a test
// sees.
func newStaticFiles() *staticFiles {
	s := &staticFiles{files: map[string]staticFile{}}
	all := sha256.New()
	err := fs.WalkDir(embedded, "static", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := embedded.ReadFile(name)
		if err != nil {
			return err
		}
		all.Write([]byte(name + "\x00"))
		all.Write(data)
		file, err := newStaticFile(name, data)
		s.files[strings.TrimPrefix(name, "static/")] = file
		return err
	})
	if err != nil {
		panic(fmt.Sprintf("cannot read the dashboard's static files: %v", err))
	}
	s.base = staticPath + hex.EncodeToString(all.Sum(nil))[:12] + "/"
	return s
}

func newStaticFile(name string, data []byte) (staticFile, error) {
	sum := sha256.Sum256(data)
	f := staticFile{plain: data, tag: `"` + hex.EncodeToString(sum[:])[:16] + `"`}
	switch path.Ext(name) {
	case ".css":
		f.contentType = "text/css; charset=utf-8"
	case ".js":
		f.contentType = "text/javascript; charset=utf-8"
	case ".svg":
		f.contentType = "image/svg+xml"
	default:
		return f, fmt.Errorf("%s is of no type that pages use", name)
	}
	var zipped bytes.Buffer
	z, err := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
	if err == nil {
		_, err = z.Write(data)
	}
	if err == nil {
		err = z.Close()
	}
	f.zipped = zipped.Bytes()
	return f, err
}

// address is where a static file is found.
func (s *staticFiles) address(name string) string { return s.base + name }

// ServeHTTP implements [http.Handler]. The hash in the path may be another one: a page of a program
// that was replaced asks for it, and gets what there is.
func (s *staticFiles) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	hash, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, staticPath), "/")
	file, ok := s.files[name]
	if !ok || r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", file.contentType)
	h.Set("ETag", file.tag)
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "no-cache")
	if staticPath+hash+"/" == s.base {
		h.Set("Cache-Control", "private, max-age=31536000, immutable")
	}
	if r.Header.Get("If-None-Match") == file.tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := file.plain
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = file.zipped
	}
	_, _ = w.Write(body) // who has left does not get it
}
