package openapi

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"strings"
)

//go:embed documents
var files embed.FS

// extension is what the name of a document's file has more than its path.
const extension = ".json.gz"

// Document is the document of one version of one group. The value is immutable, so it may be used
// concurrently.
type Document struct {
	// Path is what it is called in the index, and after /openapi/v3/ in its URL: api/v1,
	// apis/apps/v1.
	Path string
	// Hash changes with the content and with nothing else. It is a hexadecimal number.
	Hash string
}

// Documents returns all documents, ordered by their paths. It reads all of them for their hashes,
// in a third of a millisecond: keep the result.
func Documents() []Document {
	var documents []Document
	err := fs.WalkDir(files, "documents", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		packed, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		hash := sha256.Sum256(packed)
		path := strings.TrimSuffix(strings.TrimPrefix(name, "documents/"), extension)
		documents = append(documents, Document{Path: path, Hash: strings.ToUpper(hex.EncodeToString(hash[:]))})
		return nil
	})
	if err != nil {
		panic(fmt.Sprintf("the program has no OpenAPI documents: %v", err)) // they are part of it
	}
	return documents
}

// Gzip returns the document as it is sent to whoever accepts the encoding gzip. The caller owns it.
func (d Document) Gzip() []byte {
	packed, err := files.ReadFile("documents/" + d.Path + extension)
	if err != nil {
		panic(fmt.Sprintf("the program has no OpenAPI document of %s: %v", d.Path, err))
	}
	return packed
}

// JSON returns the document for whoever does not, five times as long. The caller owns it.
func (d Document) JSON() ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(d.Gzip()))
	if err != nil {
		return nil, fmt.Errorf("cannot read the OpenAPI document of %s: %w", d.Path, err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("cannot read the OpenAPI document of %s: %w", d.Path, err)
	}
	return text, nil
}
