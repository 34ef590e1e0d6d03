package drill

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/probity-run/probity/internal/printable"
)

// RequestSpec is a request that the load repeats: a class of requests.
type RequestSpec struct {
	Method, Path string // Path has the query, too
	Header       http.Header
	Body         string
}

// Name is the class's name, as in "POST /compute".
func (r RequestSpec) Name() string { return r.Method + " " + r.Path }

// ParseRequest reads a request such as POST /compute {"x":[1]}: method, path, and what is left is
// the body. One that looks like JSON is sent as such.
func ParseRequest(text string) (RequestSpec, error) {
	method, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
	path, body, _ := strings.Cut(strings.TrimSpace(rest), " ")
	r := RequestSpec{Method: method, Path: path, Body: strings.TrimSpace(body), Header: http.Header{}}
	if err := r.check(); err != nil {
		return r, fmt.Errorf("cannot read the request %s: %w: write it as 'POST /compute {\"x\":[1]}'", printable.Quote(text), err)
	}
	if strings.HasPrefix(r.Body, "{") || strings.HasPrefix(r.Body, "[") {
		r.Header.Set("Content-Type", "application/json")
	}
	return r, nil
}

func (r RequestSpec) check() error {
	if r.Method == "" || strings.ToUpper(r.Method) != r.Method {
		return fmt.Errorf("%s is no method", printable.Quote(r.Method))
	}
	if !strings.HasPrefix(r.Path, "/") {
		return fmt.Errorf("%s is no path", printable.Quote(r.Path))
	}
	if _, err := http.NewRequest(r.Method, "http://service"+r.Path, nil); err != nil {
		return fmt.Errorf("%s is no path", printable.Quote(r.Path))
	}
	return nil
}

// maxHAR bounds how many requests of a HAR file are taken.
const maxHAR = 1000

// harRequest is a request as a HAR file has it.
type harRequest struct {
	Method, URL string
	Headers     []struct{ Name, Value string }
	PostData    struct{ MimeType, Text string }
}

// ParseHAR reads the requests of a HAR file (HTTP Archive 1.2), as browsers export them: those to
// the host of the first one, which is that of the page. note says how many are left out, as they go
// elsewhere or nowhere (data:); "" if none is. The host is dropped, because all requests go to the
// Service, and so are what a connection is about and cookies of somebody.
func ParseHAR(data []byte) (all []RequestSpec, note string, err error) {
	var archive struct {
		Log struct {
			Entries []struct{ Request harRequest }
		}
	}
	if err := json.Unmarshal(data, &archive); err != nil {
		return nil, "", fmt.Errorf("cannot read the HAR file: %w", err)
	}
	host, others, nowhere := "", 0, 0
	for i, e := range archive.Log.Entries {
		at, err := url.Parse(e.Request.URL)
		switch {
		case err != nil || len(all) == maxHAR:
			return nil, "", fmt.Errorf("cannot read entry %d of the HAR file: it has no URL, or is one of more than %d", i, maxHAR)
		case at.Scheme != "http" && at.Scheme != "https":
			nowhere++
			continue
		case host == "":
			host = at.Host
		case !strings.EqualFold(at.Host, host):
			others++
			continue
		}
		r := e.Request.spec(at)
		if err := r.check(); err != nil {
			return nil, "", fmt.Errorf("cannot read entry %d of the HAR file: %w", i, err)
		}
		all = append(all, r)
	}
	if len(all) == 0 {
		return nil, "", fmt.Errorf("the HAR file has no request")
	}
	if n := others + nowhere; n > 0 {
		note = fmt.Sprintf("%d of %d requests of the HAR file are left out: %d to other hosts than %s, %d without HTTP", n, n+len(all), others, printable.Line(host), nowhere)
	}
	return all, note, nil
}

// spec is the request as it is sent again.
func (h harRequest) spec(at *url.URL) RequestSpec {
	r := RequestSpec{Method: h.Method, Path: at.RequestURI(), Body: h.PostData.Text, Header: http.Header{}}
	for _, header := range h.Headers {
		if keepHeader(header.Name) {
			r.Header.Add(header.Name, header.Value)
		}
	}
	return r
}

// keepHeader reports whether a header of a recorded request is sent again.
func keepHeader(name string) bool {
	switch strings.ToLower(name) {
	case "accept", "accept-language", "content-type", "authorization", "x-requested-with", "idempotency-key":
		return true
	}
	return false
}
