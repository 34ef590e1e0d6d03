//go:build release

package release

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// service stands for the example's program: what answers its three probes in Python.
const service = `#!/usr/bin/python3
import http.server, os

class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path in ("/startupz", "/readyz", "/livez") else 404)
        self.end_headers()

http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Answers).serve_forever()
`

// script is what somebody does on a machine that has Debian and Python, and nothing else.
const script = `set -eu
export HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin
everything() { find / -xdev ! -path '/proc/*' ! -path '/tmp/release/*' ! -path '/var/lib/dpkg/*' ! -path '/var/log/*' ! -path '*/__pycache__*' | sort; }
cd /tmp/release
everything >before

echo "== the package"
dpkg -i probity_*.deb
probity version
probity run --state-dir /tmp/release/state1 pod.yaml -- echo ready with the package
test -s /usr/share/man/man1/probity-run.1.gz
dpkg -P probity
everything >after
diff before after

echo "== the archive"
tar -xzf probity_*.tar.gz
probity-*/probity run --state-dir /tmp/release/state2 pod.yaml -- echo ready with the archive
rm -r probity-[0-9]*
everything >after
diff before after
`

// checkDebian installs the release in a root of Debian that has no Go, and runs the README's
// example there, with a service in Python. Purged, it leaves nothing.
func checkDebian(t *testing.T, r repository) {
	if _, err := exec.LookPath("mmdebstrap"); err != nil || os.Getuid() != 0 {
		t.Skip("NOT TESTED: a root of Debian takes mmdebstrap, and root")
	}
	root := filepath.Join(t.TempDir(), "root")
	output(t, r.dir, nil, "mmdebstrap", "--quiet", "--variant=minbase", "--dpkgopt=force-unsafe-io", "--include=python3", "bookworm", root)
	dir := filepath.Join(root, "tmp", "release")
	for _, pattern := range []string{"*_" + runtime.GOARCH + ".deb", "*_" + runtime.GOARCH + ".tar.gz"} {
		for name := range strings.FieldsSeq(output(t, filepath.Join(r.dir, "dist"), nil, "sh", "-c", "ls "+pattern)) {
			copyFile(t, filepath.Join(r.dir, "dist", name), filepath.Join(dir, name))
		}
	}
	copyFile(t, filepath.Join(r.dir, "examples", "calculator", "pod.yaml"), filepath.Join(dir, "pod.yaml"))
	for name, text := range map[string]string{"calculator": service, "script": script} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	said := output(t, r.dir, nil, "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc="+filepath.Join(root, "proc"), "chroot", root, "sh", "/tmp/release/script")
	for _, want := range []string{"probity  " + builtVersion + "\n", "ready with the package\n", "ready with the archive\n"} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in what it says:\n%s", want, said)
		}
	}
}
