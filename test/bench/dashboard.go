//go:build linux

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"time"
)

// dashboard measures what the dashboard costs a run, and prints its part of the table. What it
// costs the browser is measured in test/browser.
func (b *bench) dashboard(w io.Writer, p plan) error {
	return b.withProbity(p, func(m whole) error {
		fmt.Fprintln(w, "\nTHE DASHBOARD, 50 PODS, 100 PROBES/S\tmeasured\tbar")
		without, err := m.pagesCost(w, "without it (--no-dashboard)", nil, nil, "--no-dashboard")
		if err != nil {
			return err
		}
		if _, err := m.pagesCost(w, "nobody looks\t+2 MB, +1 %", without, nil); err != nil {
			return err
		}
		_, err = m.pagesCost(w, "a browser looks, with one tab or ten\t+10 %", without, (*browser).look)
		return err
	})
}

// pagesCost runs Pods, has a browser look at them, and prints what both processes take then,
// compared with another run if there is one.
func (m whole) pagesCost(w io.Writer, what string, than *apiUse, look func(*browser, context.Context) error, flags ...string) (*apiUse, error) {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	u, seen := &apiUse{}, &browser{}
	window := 4 * m.window
	err := m.steadyWith(apiPods, flags, func(p *product) (err error) {
		time.Sleep(3 * m.window) // a few garbage collections
		if look != nil {
			if err := m.signIn(ctx, seen); err != nil {
				return err
			}
			if err := look(seen, ctx); err != nil {
				return err
			}
			time.Sleep(2 * m.window)
		}
		before := seen.bytes.Load()
		*u, err = p.use(window)
		seen.bytes.Add(-before)
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
	if look != nil {
		fmt.Fprintf(w, "its first page\t%.1f KB in %v, with scripts and styles\t100 KB, 300 ms\n", float64(seen.page)/1000, seen.took.Round(time.Millisecond))
		fmt.Fprintf(w, "its stream\t%.1f KB/s\t15 KB/s (60 of 200 Pods)\n", float64(seen.bytes.Load())/1000/window.Seconds())
	}
	return u, nil
}

// browser does with the dashboard what a browser does that has the list of the Pods open. However
// many tabs show it, there is one stream.
type browser struct {
	http  *http.Client
	root  string        // http://127.0.0.1:PORT
	page  int           // bytes of the first page with all that it loads
	took  time.Duration // until they were there
	bytes atomic.Int64  // of the stream
}

// signIn has a browser sign in to the run.
func (m whole) signIn(ctx context.Context, b *browser) error {
	link, err := exec.CommandContext(ctx, m.probity, "dashboard", "--state-dir", filepath.Join(m.dir, "state")).Output()
	if err != nil {
		return fmt.Errorf("cannot get a link to the dashboard: %w", err)
	}
	at, err := url.Parse(strings.TrimSpace(string(link)))
	if err != nil {
		return err
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	b.http, b.root = &http.Client{Jar: jar, Transport: &http.Transport{DisableCompression: true}}, at.Scheme+"://"+at.Host
	_, err = b.load(ctx, strings.TrimPrefix(at.String(), b.root))
	return err
}

// get asks for something as a page does. The answer is to be closed.
func (b *browser) get(ctx context.Context, path string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, b.root+path, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	response, err := b.http.Do(request)
	if err == nil && response.StatusCode != http.StatusOK {
		response.Body.Close()
		err = fmt.Errorf("GET %s: %s", path, response.Status)
	}
	return response, err
}

// load returns what an address has.
func (b *browser) load(ctx context.Context, path string) ([]byte, error) {
	response, err := b.get(ctx, path)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	return io.ReadAll(response.Body)
}

// look loads the list of the Pods and all that it names, and reads the stream until the context is
// done.
func (b *browser) look(ctx context.Context) error {
	plain, err := b.load(ctx, "/ui/pods")
	if err != nil {
		return err
	}
	paths := []string{"/ui/pods"}
	for _, m := range regexp.MustCompile(`(?:href|src)="(/ui/static/[^"]+)"`).FindAllSubmatch(plain, -1) {
		paths = append(paths, string(m[1]))
	}
	began := time.Now()
	for _, path := range paths {
		n, err := b.zipped(ctx, path)
		if err != nil {
			return err
		}
		b.page += n
	}
	b.took = time.Since(began)
	stream, err := b.get(ctx, "/ui/stream")
	if err != nil {
		return err
	}
	go func() {
		defer stream.Body.Close()
		for lines := bufio.NewReader(stream.Body); ; {
			line, err := lines.ReadSlice('\n')
			b.bytes.Add(int64(len(line)))
			if err != nil && err != bufio.ErrBufferFull {
				return
			}
		}
	}()
	return nil
}

// zipped is how many bytes an address takes on its way.
func (b *browser) zipped(ctx context.Context, path string) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, b.root+path, nil)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Accept-Encoding", "gzip")
	response, err := b.http.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	return len(data), err
}
