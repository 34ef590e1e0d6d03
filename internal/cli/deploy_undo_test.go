package cli

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/probity-run/probity/internal/system"
)

// TestUndoCode: of an undoing whose server was lost, or that somebody breaks off, it is not known
// how it ended; one that was refused has failed. What was before is kept for another try.
func TestUndoCode(t *testing.T) {
	for status, want := range map[int]int{http.StatusInternalServerError: ExitUnknown, http.StatusUnprocessableEntity: ExitFailed} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Setenv("XDG_STATE_HOME", t.TempDir())
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodDelete {
					w.WriteHeader(status)
					return
				}
				_, err := fmt.Fprintf(w, `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"default","uid":"u","creationTimestamp":%q,
					"managedFields":[{"manager":"probity","operation":"Apply","fieldsV1":{"f:data":{}}}]}}`, time.Now().UTC().Format(time.RFC3339))
				if err != nil {
					t.Error(err)
				}
			}))
			defer server.Close()
			config := filepath.Join(t.TempDir(), "kubeconfig")
			text := "current-context: x\ncontexts: [{name: x, context: {cluster: c}}]\nclusters: [{name: c, cluster: {server: '" + server.URL + "'}}]\n"
			if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			var memory, out, complaints bytes.Buffer
			packer := gzip.NewWriter(&memory)
			_, err := io.WriteString(packer, `{"Begun":"2026-01-01T00:00:00Z","Objects":[{"APIVersion":"v1","Kind":"ConfigMap",
				"At":{"Kind":{"Version":"v1","Plural":"configmaps","Singular":"configmap"},"Namespace":"default","Name":"a"}}]}`)
			if err := errors.Join(err, packer.Close(), system.DeployStateOf(server.URL, "default", "app").Write(memory.Bytes())); err != nil {
				t.Fatal(err)
			}
			code := Main(t.Context(), Streams{In: strings.NewReader(""), Out: &out, Err: &complaints}, []string{"deploy", "--undo", "--kubeconfig", config, "app.yaml"})
			if code != want || !strings.Contains(out.String(), "what was before is still kept: --undo tries again") {
				t.Errorf("exit code %d, want %d\n%s%s", code, want, &out, &complaints)
			}
			if _, err := system.DeployStateOf(server.URL, "default", "app").Read(); err != nil {
				t.Errorf("what was before is lost: %v", err)
			}
		})
	}
}
