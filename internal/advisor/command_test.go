package advisor

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

func TestSimpleCommands(t *testing.T) {
	for script, want := range map[string][][]string{
		"":                                 nil,
		"curl -f http://a/b":               {{"curl", "-f", "http://a/b"}},
		"a && b || c; d | e &":             {{"a"}, {"b"}, {"c"}, {"d"}, {"e"}},
		"if ! pg_isready; then exit 1; fi": {{"pg_isready"}, {"exit", "1"}},
		"X=1 PGHOST=db psql":               {{"psql"}},
		"exec nc -z \"my host\" 'a;b'":     {{"nc", "-z", "my host", "a;b"}},
		"a >/dev/null 2>&1 </x b":          {{"a", "b"}},
		"a 2>&- b &>c d 1>e":               {{"a", "b", "d"}},
		"a |& b <<< c":                     {{"a"}, {"b"}},
		"[ \"$(redis-cli -h r ping)\" = P ]": {{"redis-cli", "-h", "r", "ping"},
			{"[", "$(redis-cli -h r ping)", "=", "P", "]"}},
		"x=`date`; test ${A:-1} # not this": {{"date"}, {"test", "${A:-1}"}},
		"a \\\n b":                          {{"a", "b"}},
		"'open":                             {{"open"}},
		"$(":                                {{"$("}},
	} {
		t.Run(script, func(t *testing.T) {
			if diff := cmp.Diff(want, simpleCommands(script)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestWait(t *testing.T) {
	for name, c := range map[string]struct {
		command []string
		want    time.Duration
	}{
		"nothing":            {[]string{"cat", "/tmp/x"}, 0},
		"curl":               {[]string{"curl", "-m", "7", "x"}, 7 * time.Second},
		"curl, joined":       {[]string{"curl", "-m7", "x"}, 7 * time.Second},
		"curl, the outer":    {[]string{"curl", "--connect-timeout", "9", "--max-time=2", "x"}, 2 * time.Second},
		"timeout bounds":     {[]string{"timeout", "-k", "1", "3s", "curl", "-m", "30", "x"}, 3 * time.Second},
		"busybox timeout":    {[]string{"timeout", "-t", "3", "x"}, 3 * time.Second},
		"timeout of a shell": {[]string{"timeout", "2", "sh", "-c", "sleep 60"}, 2 * time.Second},
		"shell":              {[]string{"/bin/bash", "-ec", "grpc_health_probe -addr=:1 -rpc-timeout=1500ms"}, 1500 * time.Millisecond},
		"a longer one":       {[]string{"sh", "-c", "nc -w 2 a 1; sleep 4"}, 4 * time.Second},
		"nonsense":           {[]string{"curl", "-m", "-3", "x"}, 0},
		"not a time":         {[]string{"x", "--timeout", "soon"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got, words := Wait(c.command); got != c.want || (words == "") != (c.want == 0) {
				t.Errorf("waits %v (%s), want %v", got, words, c.want)
			}
		})
	}
}

func TestSleep(t *testing.T) {
	for name, c := range map[string]struct {
		command []string
		want    time.Duration
	}{
		"alone":    {[]string{"sleep", "30"}, 30 * time.Second},
		"path":     {[]string{"/bin/sleep", "1m"}, time.Minute},
		"script":   {[]string{"sh", "-c", "sleep 5; nginx -s quit && sleep 2.5"}, 7500 * time.Millisecond},
		"variable": {[]string{"sh", "-c", "sleep $N"}, 0},
		"sum":      {[]string{"sleep", "1m", "30"}, 90 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Sleep(c.command); got != c.want {
				t.Errorf("sleeps %v, want %v", got, c.want)
			}
		})
	}
}

func TestPreStopSeconds(t *testing.T) {
	for name, c := range map[string]struct {
		command []string
		want    int
		known   bool
	}{
		"sleep":           {[]string{"sleep", "2.5"}, 3, true},
		"a script":        {[]string{"sh", "-c", "sleep 5; sleep 1"}, 6, true},
		"something else":  {[]string{"sh", "-c", "sleep 5; nginx -s quit"}, 0, false},
		"a variable":      {[]string{"sh", "-c", "sleep $DELAY"}, 0, false},
		"without an end":  {[]string{"sleep", "infinity"}, 0, false},
		"without a time":  {[]string{"sleep"}, 0, false},
		"one is unknown":  {[]string{"sh", "-c", "sleep 5; sleep ${DELAY:-3}"}, 0, false},
		"a bounded sleep": {[]string{"timeout", "5", "sleep", "10"}, 5, true},
	} {
		t.Run(name, func(t *testing.T) {
			container := &Container{Container: &corev1.Container{Lifecycle: &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Exec: &corev1.ExecAction{Command: c.command}}}}}
			if got, known := container.PreStopSeconds(); got != c.want || known != c.known {
				t.Errorf("%d s, known %v; want %d s, %v", got, known, c.want, c.known)
			}
		})
	}
}

func TestTokenEnd(t *testing.T) {
	for name, c := range map[string]struct {
		line      string
		column    int
		wantToken string
	}{
		"key":             {"  livenessProbe:", 3, "livenessProbe"},
		"plain":           {"  port: 8080  # x", 9, "8080"},
		"with a colon":    {"  image: a/b:1.2", 10, "a/b:1.2"},
		"in a flow":       {"x: {path: /a, port: http}", 21, "http"},
		"double quotes":   {`x: "a \" b" # c`, 4, `"a \" b"`},
		"single quotes":   {`x: 'it''s'`, 4, `'it''s'`},
		"hash inside":     {"x: a#b", 4, "a#b"},
		"characters":      {"ä: {p: ö, q: 1}", 8, "ö"},
		"bracket":         {"x: [1, 2]", 4, "["},
		"beyond the line": {"x", 9, ""},
	} {
		t.Run(name, func(t *testing.T) {
			end := tokenEnd(c.line, c.column)
			if want := c.column + max(len([]rune(c.wantToken)), 1); end != want {
				t.Errorf("ends at %d, want %d", end, want)
			}
		})
	}
}
