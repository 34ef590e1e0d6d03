package archive

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/probity-run/probity/internal/drill"
)

const (
	// maxPacked is how long a file gets, and maxBytes what it is when it is unpacked. A drill of
	// five minutes has a tenth of that.
	maxPacked = 3 << 20
	maxBytes  = 64 << 20
	// maxEntry is how long the line about a drill may be.
	maxEntry = 64 << 10
)

// encode is the content of a file. If all requests and attempts would make it too long, they are
// left out, and the tables that were made of them stay.
func encode(e Entry, r *drill.Report) ([]byte, error) {
	data, err := pack(e, r)
	if err == nil && len(data) > maxPacked {
		data, err = pack(e, withoutMarks(r))
	}
	if err == nil && len(data) > maxPacked {
		err = fmt.Errorf("it has more than %d MiB", maxPacked>>20)
	}
	return data, err
}

func pack(e Entry, r *drill.Report) ([]byte, error) {
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	encoder := json.NewEncoder(zip)
	err := errors.Join(encoder.Encode(e), encoder.Encode(r), zip.Close())
	return b.Bytes(), err
}

// withoutMarks is a report without the single requests and attempts.
func withoutMarks(r *drill.Report) *drill.Report {
	short := *r
	short.Results = slices.Clone(r.Results)
	for i, result := range short.Results {
		next := *result
		next.Repetitions = slices.Clone(result.Repetitions)
		for j, p := range next.Repetitions {
			repetition := *p
			repetition.Requests, repetition.Attempts = nil, nil
			next.Repetitions[j] = &repetition
		}
		short.Results[i] = &next
	}
	return &short
}

// decodeEntry reads the line about a drill, and no more.
func decodeEntry(data []byte) (e Entry, err error) {
	zip, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return e, err
	}
	err = json.NewDecoder(io.LimitReader(zip, maxEntry)).Decode(&e)
	return e, err
}

// decode reads the report of a file.
func decode(data []byte) (*drill.Report, error) {
	zip, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(io.LimitReader(zip, maxBytes))
	var e Entry
	r := &drill.Report{}
	if err := decoder.Decode(&e); err != nil {
		return nil, err
	}
	if err := decoder.Decode(r); err != nil {
		return nil, err
	}
	for _, result := range r.Results {
		if result == nil || slices.Contains(result.Repetitions, nil) {
			return nil, errors.New("a result of it is missing")
		}
	}
	return r, nil
}
