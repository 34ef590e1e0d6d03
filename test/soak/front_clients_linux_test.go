//go:build soak

package soak

import (
	"bufio"
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// kinds are the kinds of clients. Each returns errBroken if its request broke in a way that it may.
func (f *frontSoak) kinds() map[string]func(id string) error {
	kept := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clientsOfKind}, Timeout: 2 * time.Minute}
	http2 := &http.Client{Transport: &http.Transport{Protocols: new(http.Protocols)}, Timeout: 2 * time.Minute}
	http2.Transport.(*http.Transport).Protocols.SetUnencryptedHTTP2(true)
	return map[string]func(id string) error{
		"GET":                            func(id string) error { return f.get(kept, id) },
		"GET over HTTP/2":                func(id string) error { return f.get(http2, id) },
		"a large answer":                 func(id string) error { return f.download(kept, "/large/", id, largeSize, 0) },
		"a large answer, read slowly":    func(id string) error { return f.download(kept, "/large/", id, largeSize, 2*time.Millisecond) },
		"chunks with a trailer":          func(id string) error { return f.download(kept, "/chunks/", id, largeSize/10, 0) },
		"until it closes":                func(id string) error { return f.untilClose(kept, id) },
		"an upload with a length":        func(id string) error { return f.upload(kept, id, false) },
		"an upload in chunks":            func(id string) error { return f.upload(kept, id, true) },
		"an upload that is refused":      f.refused,
		"an answer that is reset":        f.reset,
		"three requests at once":         f.pipelined,
		"an upgrade":                     f.upgrade,
		"a client that ends its side":    f.halfClosed,
		"a client of HTTP/1.0":           f.old,
		"a client that leaves":           f.leaving,
		"a client that leaves an upload": f.leavingUpload,
	}
}

// get makes a request that may be sent twice, and so never breaks.
func (f *frontSoak) get(c *http.Client, id string) error {
	res, err := c.Get("http://" + f.address + "/id/" + id)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK || string(body) != id {
		return fmt.Errorf("%s %q %v", res.Status, body, err)
	}
	return nil
}

// download reads an answer that breaks if its replica ends.
func (f *frontSoak) download(c *http.Client, path, id string, size int, pause time.Duration) error {
	res, err := c.Get("http://" + f.address + path + id)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	switch n, err := readPattern(res, id, size, pause); {
	case err != nil:
		return err
	case n != size:
		return fmt.Errorf("%d bytes of %d came as a whole answer", n, size)
	case path == "/chunks/" && res.Trailer.Get("X-Id") != id:
		return fmt.Errorf("trailer %v", res.Trailer)
	}
	return nil
}

// untilClose reads an answer that ends when its connection does. If its replica is killed, the
// kernel ends that connection as if the answer were whole, which nobody can tell apart, so the
// answer may be shorter if that process has ended.
func (f *frontSoak) untilClose(c *http.Client, id string) error {
	const size = largeSize / 10
	res, err := c.Get("http://" + f.address + "/until-close/" + id)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	n, err := readPattern(res, id, size, 0)
	if err != nil || n == size {
		return err
	}
	pid, err := strconv.Atoi(res.Header.Get("X-Pid"))
	if err != nil || !endsSoon(pid) {
		return fmt.Errorf("%d bytes of %d came from process %d, which still runs: %v", n, size, pid, err)
	}
	return fmt.Errorf("%w after %d bytes, with process %d", errBroken, n, pid)
}

// endsSoon reports whether a process has ended, or does while its end is on its way to whoever
// waits for it.
func endsSoon(pid int) bool {
	for end := time.Now().Add(time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if syscall.Kill(pid, 0) == syscall.ESRCH {
			return true
		}
	}
	return false
}

// readPattern reads an answer, or the beginning of one, and returns its length. It fails with
// errBroken if the answer broke, and otherwise if it is not what was asked for.
func readPattern(res *http.Response, id string, size int, pause time.Duration) (n int, err error) {
	var want bytes.Buffer
	_ = pattern(&want, id, size) // a buffer takes all
	got := make([]byte, 0, size)
	for buffer := make([]byte, 64<<10); err == nil; time.Sleep(pause) {
		var n int
		n, err = res.Body.Read(buffer)
		got = append(got, buffer[:n]...)
	}
	switch {
	case res.StatusCode != http.StatusOK:
		return len(got), fmt.Errorf("%s %q", res.Status, got)
	case !bytes.HasPrefix(want.Bytes(), got):
		return len(got), fmt.Errorf("%d bytes of %d, %w: not the answer that was sent", len(got), size, err)
	case err != io.EOF:
		return len(got), fmt.Errorf("%w after %d bytes: %w", errBroken, len(got), err)
	}
	return len(got), nil
}

// upload sends a body that is not sent twice.
func (f *frontSoak) upload(c *http.Client, id string, chunked bool) error {
	var body bytes.Buffer
	_ = pattern(&body, id, largeSize/4) // a buffer takes all
	want := fmt.Sprintf("%s %x", id, crc32.ChecksumIEEE(body.Bytes()))
	var reader io.Reader = &body
	if chunked {
		reader = io.MultiReader(reader) // of no known length
	}
	res, err := c.Post("http://"+f.address+"/sum/"+id, "application/octet-stream", reader)
	if err != nil {
		return fmt.Errorf("%w: %w", errBroken, err) // cut off in mid-upload
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	switch {
	case res.StatusCode == http.StatusBadGateway:
		return errBroken
	case err != nil || res.StatusCode != http.StatusOK || string(got) != want:
		return fmt.Errorf("%s %q %v, want %q", res.Status, got, err, want)
	}
	return nil
}

// dial connects to the front and sends something.
func (f *frontSoak) dial(text string) (*net.TCPConn, *bufio.Reader, error) {
	conn, err := net.Dial("tcp", f.address)
	if err != nil {
		return nil, nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(2 * time.Minute)) // fails only with the next call
	_, err = io.WriteString(conn, text)
	return conn.(*net.TCPConn), bufio.NewReader(conn), err
}

// answer reads an answer.
func answer(in *bufio.Reader) (status int, body string, err error) {
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		return 0, "", err
	}
	got, err := io.ReadAll(res.Body)
	return res.StatusCode, string(got), err
}

// refused sends an upload of which the replica wants nothing, and hears so.
func (f *frontSoak) refused(id string) error {
	const size = 1 << 20
	conn, in, err := f.dial(fmt.Sprintf("POST /refuse/%s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", id, size))
	if err != nil {
		return err
	}
	defer conn.Close()
	var sending sync.WaitGroup
	sending.Go(func() { _, _ = conn.Write(make([]byte, size)) }) // fails when the front has had enough
	defer sending.Wait()
	defer conn.Close()
	switch code, body, err := answer(in); {
	case code == http.StatusBadGateway && err == nil:
		return errBroken
	case code != http.StatusRequestEntityTooLarge || body != id || err != nil:
		return fmt.Errorf("%d %q %v", code, body, err)
	}
	return nil
}

// reset reads an answer that breaks, and is never taken for a whole one.
func (f *frontSoak) reset(id string) error {
	conn, in, err := f.dial("GET /reset/" + id + " HTTP/1.1\r\nHost: a\r\n\r\n")
	if err != nil {
		return err
	}
	defer conn.Close()
	code, body, err := answer(in)
	if code == http.StatusOK && err == nil {
		return fmt.Errorf("half an answer came whole: %q", body)
	}
	return nil
}

// pipelined sends three requests at once.
func (f *frontSoak) pipelined(id string) error {
	var all strings.Builder
	for i := range 3 {
		fmt.Fprintf(&all, "GET /id/%s-%d HTTP/1.1\r\nHost: a\r\n\r\n", id, i)
	}
	conn, in, err := f.dial(all.String())
	if err != nil {
		return err
	}
	defer conn.Close()
	for i := range 3 {
		if code, body, err := answer(in); code != http.StatusOK || body != fmt.Sprintf("%s-%d", id, i) || err != nil {
			return fmt.Errorf("answer %d: %d %q %v", i, code, body, err)
		}
	}
	return nil
}

// upgrade talks to an echo.
func (f *frontSoak) upgrade(id string) error {
	conn, in, err := f.dial("GET /echo/" + id + " HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	if err != nil {
		return err
	}
	defer conn.Close()
	res, err := http.ReadResponse(in, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		return fmt.Errorf("%v %v", res, err)
	}
	for i := range 20 {
		line := fmt.Sprintf("%s %d\n", id, i)
		if _, err := io.WriteString(conn, line); err != nil {
			return fmt.Errorf("%w: %w", errBroken, err)
		}
		got, err := in.ReadString('\n')
		if err != nil {
			return fmt.Errorf("%w: %w", errBroken, err)
		}
		if got != line {
			return fmt.Errorf("%q came back as %q", line, got)
		}
	}
	if err := conn.CloseWrite(); err != nil {
		return fmt.Errorf("%w: %w", errBroken, err)
	}
	if rest, err := io.ReadAll(in); err != nil || len(rest) > 0 {
		return fmt.Errorf("%w: %q %w", errBroken, rest, err)
	}
	return nil
}

// halfClosed ends its side before the answer comes.
func (f *frontSoak) halfClosed(id string) error {
	conn, in, err := f.dial("GET /slow/" + id + " HTTP/1.1\r\nHost: a\r\n\r\n")
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.CloseWrite(); err != nil {
		return err
	}
	if code, body, err := answer(in); code != http.StatusOK || body != id || err != nil {
		return fmt.Errorf("%d %q %v", code, body, err)
	}
	return nil
}

// old speaks HTTP/1.0 and gets an answer in chunks without them.
func (f *frontSoak) old(id string) error {
	conn, in, err := f.dial("GET /chunks/" + id + " HTTP/1.0\r\n\r\n")
	if err != nil {
		return err
	}
	defer conn.Close()
	var want bytes.Buffer
	_ = pattern(&want, id, largeSize/10) // a buffer takes all
	switch code, body, err := answer(in); {
	case code != http.StatusOK:
		return fmt.Errorf("%d %q, %v", code, body, err)
	case !strings.HasPrefix(want.String(), body), err == nil && len(body) != want.Len():
		return fmt.Errorf("%d %d bytes, %v", code, len(body), err)
	case err != nil:
		return fmt.Errorf("%w: %w", errBroken, err)
	}
	return nil
}

// leaving does not wait for its answer.
func (f *frontSoak) leaving(id string) error {
	conn, _, err := f.dial("GET /large/" + id + " HTTP/1.1\r\nHost: a\r\n\r\n")
	if err == nil {
		time.Sleep(time.Duration(rand.IntN(5)) * time.Millisecond)
		err = conn.Close()
	}
	return err
}

// leavingUpload breaks an upload off.
func (f *frontSoak) leavingUpload(id string) error {
	conn, _, err := f.dial("POST /sum/" + id + " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n100\r\nhalf")
	if err == nil {
		time.Sleep(time.Duration(rand.IntN(5)) * time.Millisecond)
		err = conn.Close()
	}
	return err
}
