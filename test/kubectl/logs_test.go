//go:build kubectl

package kubectl

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestLogsFollowed: of a program that prints 10,000 lines a second, kubectl logs -f shows each line
// once and in order, while the files are rotated.
func TestLogsFollowed(t *testing.T) {
	const lines = 100_000 // 13 MB: more than one file
	begin := filepath.Join(t.TempDir(), "begin")
	p := use(t, "echo 0; until [ -e "+begin+" ]; do sleep 0.05; done; exec numbers "+strconv.Itoa(lines))
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	cmd := p.kubectl(ctx, t, "logs", "-f", p.name)
	cmd.Stderr = os.Stderr
	out := must(cmd.StdoutPipe())(t)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	next := 0
	for scanner := bufio.NewScanner(out); scanner.Scan(); next++ {
		number, _, _ := strings.Cut(scanner.Text(), " ")
		if number != strconv.Itoa(next) {
			t.Fatalf("after line %d there is %q", next-1, scanner.Text())
		}
		if next == 0 { // it follows
			if err := os.WriteFile(begin, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err != nil || next != lines+1 {
		t.Errorf("kubectl logs -f = %v after %d lines, want %d", err, next, lines+1)
	}
	if files := must(filepath.Glob(filepath.Join(filepath.Dir(p.kubeconfig), "pods", "*", "app", "*")))(t); len(files) < 2 {
		t.Errorf("nothing was rotated: %q", files)
	}
}

// numbers prints numbered lines, 10,000 a second, up to the number that it is given.
func numbers() {
	last, err := strconv.Atoi(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "numbers:", err)
		os.Exit(2)
	}
	out := bufio.NewWriter(os.Stdout)
	padding := strings.Repeat("x", 120)
	began, next := time.Now(), 1
	for range time.Tick(10 * time.Millisecond) {
		due := min(last, int(time.Since(began)/(100*time.Microsecond)))
		for ; next <= due; next++ {
			fmt.Fprintln(out, next, padding)
		}
		if out.Flush() != nil || due == last {
			return
		}
	}
}
