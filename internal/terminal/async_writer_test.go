package terminal

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// gate is a reader that reads nothing before it is opened.
type gate struct {
	open chan struct{}
	got  bytes.Buffer
}

func (g *gate) Write(p []byte) (int, error) {
	<-g.open
	return g.got.Write(p)
}

func TestAsyncWriterWritesAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got bytes.Buffer
		o := newAsyncWriter(&got)
		for _, line := range []string{"a", "b"} {
			if err := o.put([]byte(line)); err != nil {
				t.Error(err)
			}
		}
		o.offer("c")
		if !o.close() {
			t.Error("close gave up")
		}
		if want := "a\nb\nc\n"; got.String() != want {
			t.Errorf("written %q, want %q", got.String(), want)
		}
	})
}

// TestAsyncWriterOfASlowReader: what is offered never waits, and a note says what is missing; what
// is put waits.
func TestAsyncWriterOfASlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{open: make(chan struct{})}
		o := newAsyncWriter(g)
		line := strings.Repeat("x", 1<<10)
		for range 2000 {
			o.offer(line)
			synctest.Wait()
		}
		put := false
		go func() { put = o.put([]byte("put")) == nil }()
		synctest.Wait()
		if put {
			t.Error("put did not wait")
		}
		close(g.open)
		synctest.Wait()
		if !put {
			t.Error("put waits although there is room")
		}
		o.offer("last")
		if !o.close() {
			t.Error("close gave up")
		}
		lines := strings.Split(g.got.String(), "\n")
		if n := strings.Count(g.got.String(), line); n < 200 || n > 300 {
			t.Errorf("%d lines were kept, want those for which there was room", n)
		}
		if got := strings.Join(lines[len(lines)-4:], "\n"); !strings.HasPrefix(got, "put\nprobity: 1") || !strings.HasSuffix(got, " lines are missing here, because nobody read them\nlast\n") {
			t.Errorf("the end is %q", got)
		}
	})
}

// TestAsyncWriterNobodyReads: the end does not wait for ever.
func TestAsyncWriterNobodyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{open: make(chan struct{})}
		o := newAsyncWriter(g)
		began := time.Now()
		o.hurry()
		var err error
		for err == nil {
			err = o.put(make([]byte, 1<<10))
		}
		if !errors.Is(err, errNotRead) || time.Since(began) != closeTimeout {
			t.Errorf("put ends with %v after %v, want %v after %v", err, time.Since(began), errNotRead, closeTimeout)
		}
		if o.close() {
			t.Error("close says that all was written")
		}
		close(g.open) // lets the goroutine end, as the end of the process would
	})
}

func TestAsyncWriterOfAClosedStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		r.Close()
		o := newAsyncWriter(w)
		o.offer("x")
		synctest.Wait()
		if err := o.put([]byte("y")); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("put = %v, want %v", err, io.ErrClosedPipe)
		}
		if !o.close() {
			t.Error("close gave up")
		}
	})
}

// disk is full for a while: it takes two bytes of what is written, until there is room again.
type disk struct {
	full time.Time // until then
	got  bytes.Buffer
}

func (d *disk) Write(p []byte) (int, error) {
	if time.Now().Before(d.full) {
		n, _ := d.got.Write(p[:min(len(p), 2)])
		return n, &os.PathError{Op: "write", Path: "output", Err: syscall.ENOSPC}
	}
	return d.got.Write(p)
}

// TestAsyncWriterOfAFullDisk: what was to be written is written when there is room again; the end
// does not wait for that.
func TestAsyncWriterOfAFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{full: time.Now().Add(time.Minute)}
		o := newAsyncWriter(d)
		for _, line := range []string{strings.Repeat("a", 1000), "b"} {
			if err := o.put([]byte(line)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if want := strings.Repeat("a", 1000) + "\nb\n"; d.got.String() != want {
			t.Errorf("written %d bytes, want %d", d.got.Len(), len(want))
		}
		d.full = time.Now().Add(time.Hour)
		if err := o.put([]byte("c")); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		o.close()
		if took := time.Since(began); took > closeTimeout {
			t.Errorf("close took %v", took)
		}
		synctest.Wait()
	})
}
