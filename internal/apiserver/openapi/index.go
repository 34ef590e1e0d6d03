package openapi

import (
	"encoding/json"
	"fmt"
	"net/url"
)

// Index returns the answer to /openapi/v3: where the documents are. Their URLs carry their hashes,
// so that a client keeps a document for as long as it is the same.
func Index(documents []Document) []byte {
	type entry struct {
		URL string `json:"serverRelativeURL"`
	}
	paths := map[string]entry{}
	for _, d := range documents {
		paths[d.Path] = entry{"/openapi/v3/" + d.Path + "?hash=" + url.QueryEscape(d.Hash)}
	}
	index, err := json.Marshal(map[string]any{"paths": paths})
	if err != nil {
		panic(fmt.Sprintf("cannot write the OpenAPI index: %v", err)) // of strings alone
	}
	return index
}
