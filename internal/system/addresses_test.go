package system

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/address"
	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/test/ports"
)

// TestAddressesStay: a Service has the same address in every run, also if another one is added, and
// two runs at a time have no address in common.
func TestAddressesStay(t *testing.T) {
	needsAddresses(t)
	for range 5 {
		if addressesStay(t) {
			return
		}
	}
	t.Fatal("no folder had its own addresses")
}

// hasOwnAddresses reports whether a system has the addresses of its folder: no other run on this
// machine has them.
func hasOwnAddresses(s *System) bool {
	first := address.BlockOf(s.state.dir)
	return s.addresses.serviceBlock == first && s.addresses.podBlock == (first+address.Blocks/2)%address.Blocks
}

// addressesStay reports false if other runs on this machine, such as those of other tests, had the
// addresses in between.
func addressesStay(t *testing.T) bool {
	t.Helper()
	state := filepath.Join(folder(t), "state")
	run := func(state string, names ...string) (s *System, at map[string]string) {
		var programs []testProgram
		for _, name := range names {
			programs = append(programs, testProgram{name, "127.0.0.1:$(PORT)", 8080, ports.Free(t), ""})
		}
		s = started(t, context.Background(), Options{Manifests: []string{manifestOf(t, programs...)}, StateDir: state})
		at = map[string]string{}
		for _, name := range names {
			at[name] = serviceOfEventually(t, s, name).Spec.ClusterIP
			var podIP string
			eventually(t, "the address of Pod "+name, func() bool {
				pod, err := store.Get[*corev1.Pod](s.Store(), "default", name)
				podIP = ""
				if err == nil {
					podIP = pod.Status.PodIP
				}
				return podIP != ""
			})
			at["pod "+name] = podIP
		}
		return s, at
	}
	s, first := run(state, "store", "frontend")
	other, there := run(filepath.Join(folder(t), "state"), "store", "frontend")
	seen := map[string]string{}
	for _, list := range []map[string]string{first, there} {
		for name, address := range list {
			if seen[address] != "" {
				t.Errorf("%s is the address of %s and of %s", address, seen[address], name)
			}
			seen[address] = name
		}
	}
	for _, s := range []*System{s, other} {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	again, second := run(state, "a-new-one", "frontend", "store")
	if !hasOwnAddresses(s) || !hasOwnAddresses(again) {
		return false
	}
	for name, address := range first {
		if second[name] != address {
			t.Errorf("%s was at %s and is at %s", name, address, second[name])
		}
	}
	return true
}

// TestBlockIsTaken: a run whose addresses another one has gets the next ones, and says so.
func TestBlockIsTaken(t *testing.T) {
	for range 20 {
		dir := folder(t)
		first, moved := addressesOf(t, dir)
		if moved != "" {
			t.Logf("as if another test had them: %s", moved)
			continue
		}
		second, moved := addressesOf(t, dir)
		if second.serviceBlock == first.serviceBlock || second.podBlock == first.podBlock || moved == "" {
			t.Errorf("blocks %d and %d, %d and %d; %q", first.serviceBlock, second.serviceBlock, first.podBlock, second.podBlock, moved)
		}
		return
	}
	t.Fatal("no run got the addresses of its folder")
}

func addressesOf(t *testing.T, dir string) (a *addresses, moved string) {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	a, moved, err = openAddresses(root, dir, func(line string) { t.Log(line) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		a.close()
		_ = root.Close()
	})
	return a, moved
}
