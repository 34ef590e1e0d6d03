package measure

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// loadInterval is the time between two requests of the load.
const loadInterval = time.Second / 20

// A Request is one kind of request of the load.
type Request struct {
	// Method and Path, as in "GET /"; Body may be empty.
	Method, Path, Body string
}

// ParseRequest reads "POST /compute {"x":[1]}": a method, a path, and the body after a space. A
// path alone is fetched by GET.
func ParseRequest(text string) (Request, error) {
	if strings.HasPrefix(text, "/") {
		text = "GET " + text
	}
	method, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
	path, body, _ := strings.Cut(strings.TrimSpace(rest), " ")
	r := Request{Method: method, Path: path, Body: body}
	_, err := http.NewRequest(method, "http://localhost"+path, nil)
	if err != nil || !strings.HasPrefix(path, "/") || strings.ToUpper(method) != method {
		return r, fmt.Errorf("cannot read the request %q: write it as 'GET /path' or 'POST /path BODY'", text)
	}
	return r, nil
}

// String is the form that [ParseRequest] reads, without the body.
func (r Request) String() string { return r.Method + " " + r.Path }

// Text is the form that [ParseRequest] reads, and probity drill, with the body.
func (r Request) Text() string { return strings.TrimSpace(r.String() + " " + r.Body) }

// generate sends the requests in turn to all addresses, 20 a second to each, until the context is
// done; whatever comes of them. It returns when the last has ended.
func generate(ctx context.Context, addresses []string, requests []Request) {
	transport := &http.Transport{MaxIdleConnsPerHost: 100, ResponseHeaderTimeout: giveUp}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: giveUp, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	var sent sync.WaitGroup
	defer sent.Wait()
	places := make(chan struct{}, mostAsked)
	ticker := time.NewTicker(loadInterval)
	defer ticker.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		for _, address := range addresses {
			select {
			case places <- struct{}{}:
			default:
				continue
			}
			r := requests[n%len(requests)]
			sent.Go(func() {
				defer func() { <-places }()
				_ = r.send(ctx, client, address) // what the load meets is seen by the samples
			})
		}
	}
}

// send makes a request and reads the answer.
func (r Request) send(ctx context.Context, client *http.Client, address string) error {
	request, err := http.NewRequestWithContext(ctx, r.Method, "http://"+address+r.Path, strings.NewReader(r.Body))
	if err != nil {
		return err
	}
	if r.Body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, response.Body)
	return errors.Join(err, response.Body.Close())
}
