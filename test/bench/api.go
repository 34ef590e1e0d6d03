//go:build linux

package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/apiserver/credentials"
)

// apiPods is how many Pods the API is measured with; each is probed twice a second.
const apiPods = 50

// api measures what the Kubernetes API costs, and prints its part of the table.
func (b *bench) api(w io.Writer, p plan) error {
	return b.withProbity(p, func(m whole) error {
		fmt.Fprintln(w, "\nTHE KUBERNETES API, 50 PODS, 100 PROBES/S\tmeasured\tbar")
		without, err := m.apiCost(w, "without it (--no-api)", nil, nil, "--no-api")
		if err != nil {
			return err
		}
		for _, step := range []struct {
			what string
			use  func(context.Context, *apiClient) error
			bar  string
		}{
			{"no client", nil, "+3 MB"},
			{"one watch of Pods, as kubectl get -w", func(ctx context.Context, c *apiClient) error { return c.watch(ctx, 1, nil) }, "+5 MB, +0.2 %"},
			{"a minute of one watch, one followed log, a scrape every 5 s", lookedAt, "+5 MB, +0.2 %"},
			{"50 watches of Pods", func(ctx context.Context, c *apiClient) error { return c.watch(ctx, 50, nil) }, "+0.25 MB each"},
			{"after 100 server-side applies and a minute", applies, "+8 MB"},
		} {
			if _, err := m.apiCost(w, step.what+"\t"+step.bar, without, step.use); err != nil {
				return err
			}
		}
		return m.apiEvents(w)
	})
}

// apiUse is what a run costs.
type apiUse struct {
	memory memory
	core   float64 // percent
}

// apiCost runs Pods, has a client use the API, and prints what both processes take then, compared
// with another run if there is one.
func (m whole) apiCost(w io.Writer, what string, than *apiUse, use func(context.Context, *apiClient) error, flags ...string) (*apiUse, error) {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	u := &apiUse{}
	err := m.steadyWith(apiPods, flags, func(p *product) error {
		time.Sleep(3 * m.window) // a few garbage collections
		if use != nil {
			client, err := newAPIClient(m.dir)
			if err != nil {
				return err
			}
			if err := use(ctx, client); err != nil {
				return err
			}
			time.Sleep(2 * m.window)
		}
		var err error
		*u, err = p.use(4 * m.window)
		return err
	})
	if err != nil {
		return nil, err
	}
	what, bar, _ := strings.Cut(what, "\t")
	if than == nil {
		fmt.Fprintf(w, "%s\t%s, %.1f %% of a core\t%s\n", what, u.memory, u.core, bar)
		return u, nil
	}
	fmt.Fprintf(w, "%s\t%+.1f MB proportional, %+.1f MB resident, %+.1f %% of a core\t%s\n", what,
		float64(u.memory.proportional-than.memory.proportional)/1024, float64(u.memory.resident-than.memory.resident)/1024, u.core-than.core, bar)
	return u, nil
}

// use is what both processes take, and in a while run.
func (p *product) use(window time.Duration) (u apiUse, err error) {
	pids, err := p.processes()
	if err != nil {
		return u, err
	}
	before, err := runTimes(pids)
	if err != nil {
		return u, err
	}
	began := time.Now()
	time.Sleep(window)
	after, err := runTimes(pids)
	if err != nil {
		return u, err
	}
	for i, pid := range pids {
		u.core += float64(after[i]-before[i]) / float64(time.Since(began)) * 100
		one, err := memoryOf(pid)
		if err != nil {
			return u, err
		}
		u.memory = u.memory.plus(one)
	}
	return u, nil
}

// apiEvents has 50 watches get changes of a ConfigMap, and prints what one event costs the server.
func (m whole) apiEvents(w io.Writer) error {
	const watches, changes = 50, 1000
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	return m.steadyWith(1, nil, func(p *product) error {
		client, err := newAPIClient(m.dir)
		if err != nil {
			return err
		}
		const configMaps = "/api/v1/namespaces/default/configmaps"
		object := map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "bench"}, "data": map[string]string{"n": "0", "text": strings.Repeat("x", 2000)}}
		if err := client.send(ctx, http.MethodPost, configMaps, "application/json", object); err != nil {
			return err
		}
		pids, err := p.processes()
		if err != nil {
			return err
		}
		cost := func() (time.Duration, error) {
			before, err := processTimes(pids[:1])
			if err != nil {
				return 0, err
			}
			for n := range changes {
				patch := map[string]any{"data": map[string]string{"n": fmt.Sprint(time.Now().UnixNano(), n)}}
				if err := client.send(ctx, http.MethodPatch, configMaps+"/bench", "application/merge-patch+json", patch); err != nil {
					return 0, err
				}
			}
			after, err := processTimes(pids[:1])
			return after - before, err
		}
		alone, err := cost()
		if err != nil {
			return err
		}
		client.path = configMaps
		var seen atomic.Int64
		if err := client.watch(ctx, watches, &seen); err != nil {
			return err
		}
		watched, err := cost()
		if err != nil {
			return err
		}
		for seen.Load() < watches*(changes+1) { // one each is the object as it was
			time.Sleep(10 * time.Millisecond)
		}
		fmt.Fprintf(w, "an event to a watch, of an object of 2 KB\t%.0f µs\t60 µs\n", float64(watched-alone)/float64(time.Microsecond)/(watches*changes))
		fmt.Fprintf(w, "a merge patch of it\t%.0f µs\t\n", float64(alone)/float64(time.Microsecond)/changes)
		return nil
	})
}

// apiClient asks the API of the run that is measured.
type apiClient struct {
	http *http.Client
	url  string
	path string // of what is watched

	state string // folder
	token string // "" if http shows it
}

func newAPIClient(dir string) (*apiClient, error) {
	state := filepath.Join(dir, "state")
	root, err := os.OpenRoot(state)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	client, url, err := credentials.Client(root)
	return &apiClient{http: client, url: url, path: "/api/v1/pods", state: state}, err
}

// watch opens watches that go on until the context is done, and counts their events.
func (c *apiClient) watch(ctx context.Context, n int, seen *atomic.Int64) error {
	for range n {
		if err := c.follow(ctx, c.path+"?watch=true", seen); err != nil {
			return err
		}
	}
	return nil
}

// follow reads what goes on until the context is done, and counts its lines.
func (c *apiClient) follow(ctx context.Context, path string, seen *atomic.Int64) error {
	response, err := c.get(ctx, path)
	if err != nil {
		return err
	}
	go func() {
		defer response.Body.Close()
		for lines := bufio.NewReader(response.Body); ; {
			if _, err := lines.ReadSlice('\n'); err == nil && seen != nil {
				seen.Add(1)
			} else if err != nil && err != bufio.ErrBufferFull {
				return
			}
		}
	}()
	return nil
}

// get asks for something. The answer is to be closed.
func (c *apiClient) get(ctx context.Context, path string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+path, nil)
	if err != nil {
		return nil, err
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		defer response.Body.Close()
		return nil, fmt.Errorf("GET %s: %s", path, response.Status)
	}
	return response, nil
}

// scrapePeriod is how often a Prometheus asks that is set up to see what happens.
const scrapePeriod = 5 * time.Second

// lookedAt has one watch of Pods and one log followed, and scrapes over one connection, as
// Prometheus does, until the context is done. It returns when what the beginning took is given
// back.
func lookedAt(ctx context.Context, c *apiClient) error {
	if err := c.watch(ctx, 1, nil); err != nil {
		return err
	}
	pods, err := c.get(ctx, c.path)
	if err != nil {
		return err
	}
	defer pods.Body.Close()
	var list corev1.PodList
	if err := json.NewDecoder(pods.Body).Decode(&list); err != nil {
		return err
	}
	if err := c.follow(ctx, "/api/v1/namespaces/default/pods/"+list.Items[0].Name+"/log?follow=true", nil); err != nil {
		return err
	}
	kept, err := c.keeping()
	if err != nil {
		return err
	}
	scrape := func() error {
		response, err := kept.get(ctx, "/metrics")
		if err != nil {
			return err
		}
		defer response.Body.Close()
		_, err = io.Copy(io.Discard, response.Body)
		return err
	}
	if err := scrape(); err != nil {
		return err
	}
	go func() {
		ticks := time.NewTicker(scrapePeriod)
		defer ticks.Stop()
		for {
			select {
			case <-ticks.C:
				_ = scrape() // the first one has shown that it works
			case <-ctx.Done():
				return
			}
		}
	}()
	time.Sleep(time.Minute)
	return nil
}

// keeping is a client that keeps its connection, which one of package credentials does not.
func (c *apiClient) keeping() (*apiClient, error) {
	authority, err := os.ReadFile(filepath.Join(c.state, "ca.crt"))
	if err != nil {
		return nil, err
	}
	token, err := os.ReadFile(filepath.Join(c.state, "token"))
	if err != nil {
		return nil, err
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(authority)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}}
	return &apiClient{http: &http.Client{Transport: transport}, url: c.url, path: c.path, state: c.state, token: strings.TrimSpace(string(token))}, nil
}

// send sends a body and takes any answer that is no error.
func (c *apiClient) send(ctx context.Context, method, path, mediaType string, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, c.url+path, strings.NewReader(string(text)))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", mediaType)
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if answer, err := io.ReadAll(response.Body); err != nil || response.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s %s, %w", method, path, response.Status, answer, err)
	}
	return nil
}

// applies makes server-side applies of one object, and waits until what they took is given back.
func applies(ctx context.Context, c *apiClient) error {
	for n := range 100 {
		object := map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "bench"}, "data": map[string]string{"n": fmt.Sprint(n)}}
		if err := c.send(ctx, http.MethodPatch, "/api/v1/namespaces/default/configmaps/bench?fieldManager=bench", "application/apply-patch+yaml", object); err != nil {
			return err
		}
	}
	time.Sleep(time.Minute)
	return nil
}
