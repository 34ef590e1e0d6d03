package drill

import (
	"strings"
	"testing"
)

func TestKeepOnly(t *testing.T) {
	all := func() []*target {
		return []*target{{Workload: Workload{Name: "deployment/web"}}, {Workload: Workload{Name: "deployment/db"}}}
	}
	if kept, others, err := keepOnly(all(), nil); err != nil || len(kept) != 2 || len(others) != 0 {
		t.Errorf("no names keep %v, %v", kept, err)
	}
	if kept, others, err := keepOnly(all(), []string{"deployment/db"}); err != nil || len(kept) != 1 || kept[0].Name != "deployment/db" || len(others) != 1 {
		t.Errorf("a name keeps %v, %v", kept, err)
	}
	if _, _, err := keepOnly(all(), []string{"wen"}); err == nil || !strings.Contains(err.Error(), "there is no such workload, but deployment/web, deployment/db") {
		t.Errorf("an unknown name: %v", err)
	}
}
