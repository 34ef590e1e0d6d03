package process

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// BenchmarkNamespace compares starts, from the request to the report that the program runs: without
// a namespace, joining one, and with one of its own, as the first start of a Pod. The bars, at 20
// mounts: 0.05 ms for a join, 0.3 ms for a new one.
func BenchmarkNamespace(b *testing.B) {
	s, err := NewShepherd(ShepherdOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	file := filepath.Join(b.TempDir(), "hosts")
	if err := os.WriteFile(file, []byte("127.77.0.1 store\n"), 0o644); err != nil {
		b.Fatal(err)
	}
	n := &Namespace{Key: "pod", Hostname: "web-1", Binds: []Bind{{file, "/etc/hosts"}}}
	fresh := *n
	fresh.Key = "fresh"
	if p, err := s.Start(Spec{Argv: []string{"/bin/true"}, Namespace: n}); err != nil {
		b.Fatal(err)
	} else {
		<-p.Done()
	}
	took := map[string][]float64{}
	// One of each in turn, so that what else the machine does falls on all of them.
	for b.Loop() {
		for kind, n := range map[string]*Namespace{"none": nil, "join": n, "new": &fresh} {
			begin := time.Now()
			p, err := s.Start(Spec{Argv: []string{"/bin/true"}, Namespace: n})
			if err != nil {
				b.Fatal(err)
			}
			took[kind] = append(took[kind], float64(time.Since(begin).Microseconds())/1000)
			<-p.Done()
			if err := s.ForgetNamespace("fresh"); err != nil {
				b.Fatal(err)
			}
		}
	}
	for kind, all := range took {
		slices.Sort(all)
		b.ReportMetric(all[0], kind+"-min-ms")
		b.ReportMetric(all[len(all)/2], kind+"-p50-ms")
	}
	b.ReportMetric(float64(mounts(b)), "mounts")
	b.ReportMetric(0, "ns/op")
}

// mounts counts the mounts that a namespace copies.
func mounts(b *testing.B) int {
	b.Helper()
	data, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		b.Fatal(err)
	}
	return bytes.Count(data, []byte("\n"))
}

// BenchmarkNamespaceMemory is what the kernel holds for the namespaces of 50 Pods, of which each
// has one process, beyond what it holds without.
func BenchmarkNamespaceMemory(b *testing.B) {
	const pods = 50
	for b.Loop() {
		var used [2]float64
		for i, with := range []bool{false, true} {
			used[i] = kernelMemory(b, pods, with)
		}
		b.ReportMetric((used[1]-used[0])/1024, "MiB/50-pods")
	}
	b.ReportMetric(0, "ns/op")
}

// kernelMemory is by how much the kernel's unreclaimable memory grows when Pods start, in KiB.
func kernelMemory(b *testing.B, pods int, namespaces bool) float64 {
	b.Helper()
	s, err := NewShepherd(ShepherdOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	file := filepath.Join(b.TempDir(), "hosts")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		b.Fatal(err)
	}
	before := unreclaimable(b)
	for i := range pods {
		spec := Spec{Argv: []string{"/bin/sleep", "1000"}}
		if namespaces {
			spec.Namespace = &Namespace{Key: strconv.Itoa(i), Hostname: "web", Binds: []Bind{{file, "/etc/hosts"}}}
		}
		if _, err := s.Start(spec); err != nil {
			b.Fatal(err)
		}
	}
	return unreclaimable(b) - before
}

// unreclaimable is the kernel's slab and percpu memory that is in use, in KiB.
func unreclaimable(b *testing.B) (sum float64) {
	b.Helper()
	data, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		if slices.Contains([]string{"SUnreclaim:", "Percpu:"}, fields[0]) {
			kib, err := strconv.ParseFloat(fields[1], 64)
			if err != nil {
				b.Fatal(err)
			}
			sum += kib
		}
	}
	return sum
}
