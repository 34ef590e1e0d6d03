// Generate makes the OpenAPI documents of what the API server serves: of each group and version in
// the table of resources, what Kubernetes publishes in its source, less all that is not served. Run
// it by go generate; it takes the Go module proxy, which has that source.
package main

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/probity-run/probity/internal/apiserver/resources"
)

// ours is the document of what no cluster has. It refers to schemas of the core group's document.
//
//go:embed probity.json
var ours []byte

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

// run makes the documents anew in a folder, which is emptied before.
func run(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("want one argument, the folder to write to, and not %q", args)
	}
	documents, err := generate(ctx)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(args[0]); err != nil {
		return err
	}
	for path, text := range documents {
		packed, err := pack(text)
		if err != nil {
			return err
		}
		file := filepath.Join(args[0], filepath.FromSlash(path)+".json.gz")
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, packed, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// generate returns the documents by their paths in the index, such as api/v1 and apis/apps/v1.
func generate(ctx context.Context) (map[string][]byte, error) {
	published, err := openPublished(ctx)
	if err != nil {
		return nil, err
	}
	defer published.Close()
	core, err := published.document("api/v1")
	if err != nil {
		return nil, err
	}
	documents := map[string][]byte{}
	for _, gv := range resources.GroupVersions() {
		path := pathOf(gv)
		var source document
		if gv.Group == "probity.run" {
			source, err = ourDocument(core)
		} else {
			source, err = published.document(path)
		}
		if err != nil {
			return nil, err
		}
		trimmed, err := trim(source, gv, resources.All())
		if err != nil {
			return nil, fmt.Errorf("cannot take what is served out of the document %s: %w", path, err)
		}
		if documents[path], err = marshal(trimmed); err != nil {
			return nil, err
		}
	}
	return documents, nil
}

// ourDocument reads our own document and gives it the schemas of another one to refer to.
func ourDocument(core document) (document, error) {
	source, err := parse(ours)
	if err != nil {
		return document{}, fmt.Errorf("cannot read probity.json: %w", err)
	}
	for name, s := range core.Components.Schemas {
		if _, there := source.Components.Schemas[name]; !there {
			source.Components.Schemas[name] = s
		}
	}
	return source, nil
}

// pathOf is how a group and version is called in the index.
func pathOf(gv schema.GroupVersion) string {
	if gv.Group == "" {
		return "api/" + gv.Version
	}
	return "apis/" + gv.String()
}

// marshal writes a document in the shortest form. Names are in alphabetical order.
func marshal(d document) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(d); err != nil {
		return nil, err
	}
	return text.Bytes(), nil
}

func parse(text []byte) (document, error) {
	var d document
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	err := decoder.Decode(&d)
	return d, err
}

func pack(text []byte) ([]byte, error) {
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}
