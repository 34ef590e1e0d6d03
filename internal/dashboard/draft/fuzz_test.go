package draft

import (
	"testing"
)

// Whatever is typed, a draft is made of it; and if the API server would take it, a file in which it
// is written says that.
func FuzzDraft(f *testing.F) {
	f.Add("liveness", HTTP, "/livez", "http", "Host: a\nX: y", "sh -c 'a b'", "10", "5", "3")
	f.Add("readiness", Exec, "", "8080", "", "test -f \"/tmp/a: b\" '#' '{x}'", "", "", "0")
	f.Add("startup", TCP, "", "0", "", "", "-1", "2147483648", "x")
	f.Add("liveness", GRPC, "a: b # c", "9", "", "", "1", "1", "1")
	f.Add("liveness", "", "", "", "", "", "", "", "")
	f.Fuzz(func(t *testing.T, probe, handler, path, port, headers, command, period, timeout, threshold string) {
		w := workload(t, calculator)
		probe += "Probe"
		v := w.Values()
		for name, value := range map[string]string{
			"handler": handler, "httpGet.path": path, "httpGet.port": port, "httpGet.httpHeaders": headers, "tcpSocket.port": port, "tcpSocket.host": path, "grpc.port": port,
			"grpc.service": path, "exec.command": command, "periodSeconds": period, "timeoutSeconds": timeout, "failureThreshold": threshold,
		} {
			v[probe+"."+name] = value
		}
		known := handler == ""
		for _, h := range Handlers() {
			known = known || h[0] == handler
		}
		if !known {
			return
		}
		d, err := w.New(v)
		if err != nil {
			t.Fatal(err)
		}
		d.Facts()
		if _, err := d.Diff(); err != nil {
			t.Fatal(err)
		}
		file, err := w.Open("app.yaml", []byte(calculator))
		if err != nil {
			t.Fatal(err)
		}
		if len(d.Errors) > 0 {
			return
		}
		text, err := file.Write(d.Values)
		if err != nil {
			return // it has to be changed by hand
		}
		again, err := w.Open("app.yaml", text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		c, _ := (Workload{Resource: d.Resource}).Spec()
		if differs := again.Otherwise(Read(c, 15, nil)); len(differs) > 0 {
			t.Errorf("the file says %q\n%s", differs, text)
		}
	})
}
