package node

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/probity-run/probity/internal/lifecycle"
)

func TestPrinterCells(t *testing.T) {
	record := func(probe lifecycle.ProbeType, outcome string, result lifecycle.ProbeResult, run, threshold int) ProbeRecord {
		return ProbeRecord{Container: "web", Type: probe, Outcome: outcome, Latency: 1234567, Result: result, Run: run, Threshold: threshold}
	}
	const (
		success, failure, unknown = lifecycle.ResultSuccess, lifecycle.ResultFailure, lifecycle.ResultUnknown
		startup, liveness         = lifecycle.Startup, lifecycle.Liveness
		readiness                 = lifecycle.Readiness
	)
	held := func(r ProbeRecord) ProbeRecord {
		r.Hold = true
		return r
	}
	alive, ready := record(liveness, "success", success, 9, 1), record(readiness, "success", success, 9, 1)
	tests := map[string]struct {
		probes []ProbeRecord
		want   []any
	}{
		"none yet":        {nil, []any{int64(0), "<none>", "<none>", "<none>"}},
		"all is well":     {[]ProbeRecord{ready, alive}, []any{int64(2), "web liveness ok", "success", "1.2ms"}},
		"in rotation":     {[]ProbeRecord{ready}, []any{int64(1), "web readiness in", "success", "1.2ms"}},
		"a warning":       {[]ProbeRecord{record(liveness, "warning", success, 1, 1)}, []any{int64(1), "web liveness ok", "warning", "1.2ms"}},
		"started":         {[]ProbeRecord{held(record(startup, "success", success, 0, 1))}, []any{int64(1), "web startup ok", "success", "1.2ms"}},
		"not started yet": {[]ProbeRecord{alive, record(startup, "failure", unknown, 4, 30)}, []any{int64(2), "web startup 4/30", "failure", "1.2ms"}},
		"nobody can judge whether it has started": {[]ProbeRecord{record(startup, "error", unknown, 0, 1)}, []any{int64(1), "web startup 0/1", "error", "1.2ms"}},
		"failures that do not count":              {[]ProbeRecord{record(liveness, "error", success, 0, 1)}, []any{int64(1), "web liveness ok", "error", "1.2ms"}},
		"failing":                                 {[]ProbeRecord{ready, record(liveness, "failure", success, 2, 3)}, []any{int64(2), "web liveness 2/3", "failure", "1.2ms"}},
		"nearer to its threshold":                 {[]ProbeRecord{record(liveness, "failure", success, 2, 5), record(readiness, "failure", success, 1, 2)}, []any{int64(2), "web readiness 1/2", "failure", "1.2ms"}},
		"equally near":                            {[]ProbeRecord{record(readiness, "failure", success, 2, 4), record(liveness, "failure", success, 1, 2)}, []any{int64(2), "web liveness 1/2", "failure", "1.2ms"}},
		"the first of two equals":                 {[]ProbeRecord{record(startup, "failure", unknown, 1, 2), record(liveness, "failure", success, 1, 2)}, []any{int64(2), "web startup 1/2", "failure", "1.2ms"}},
		"out of rotation is in effect":            {[]ProbeRecord{record(liveness, "failure", success, 9, 10), record(readiness, "failure", failure, 12, 3)}, []any{int64(2), "web readiness 3/3", "failure", "1.2ms"}},
		"on its way back into rotation":           {[]ProbeRecord{alive, record(readiness, "success", failure, 1, 3)}, []any{int64(2), "web readiness 1/3", "success", "1.2ms"}},
		"about to be restarted":                   {[]ProbeRecord{record(readiness, "failure", failure, 3, 3), held(record(liveness, "failure", failure, 0, 3))}, []any{int64(2), "web liveness 3/3", "failure", "1.2ms"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			report := &ProbeReport{Probes: test.probes}
			if diff := cmp.Diff(test.want, report.PrinterCells()); diff != "" {
				t.Errorf("cells (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPrinterColumns(t *testing.T) {
	var got []string
	for _, c := range (*ProbeReport)(nil).PrinterColumns() {
		got = append(got, c.Name+" "+c.Type)
		if !strings.HasSuffix(c.Description, ".") {
			t.Errorf("%s is described as %q, want a sentence", c.Name, c.Description)
		}
	}
	if diff := cmp.Diff([]string{"Probes integer", "Worst string", "Outcome string", "Latency string"}, got); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
}

func TestRoundLatency(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 420_499: "420µs", 12_345_678: "12.3ms", 2_345_678_901: "2.35s", 70 * time.Second: "1m10s",
	} {
		if got := roundLatency(d).String(); got != want {
			t.Errorf("%d ns are printed as %s, want %s", int64(d), got, want)
		}
	}
}
