package advisor

import "testing"

func TestUnreadCurl(t *testing.T) {
	sh := func(script string) []string { return []string{"sh", "-c", script} }
	for name, c := range map[string]struct {
		command []string
		want    string
	}{
		"alone":                      {[]string{"curl", "http://localhost/h"}, "http://localhost/h"},
		"quiet":                      {[]string{"/usr/bin/curl", "-sS", "-m", "5", "localhost:8080/h"}, "localhost:8080/h"},
		"thrown away":                {[]string{"curl", "-so", "/dev/null", "http://localhost/h"}, "http://localhost/h"},
		"the code printed":           {[]string{"curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "http://localhost/h"}, "http://localhost/h"},
		"a file that begins with f":  {[]string{"curl", "-o/dev/null", "http://localhost/f"}, "http://localhost/f"},
		"a header with a colon":      {[]string{"curl", "-H", "Host: fail", "http://localhost/h"}, "http://localhost/h"},
		"an option with its address": {[]string{"curl", "--url", "http://localhost/h"}, "http://localhost/h"},
		"a time limit around it":     {[]string{"timeout", "3", "curl", "http://localhost/h"}, "http://localhost/h"},
		"or exit 1":                  {sh("curl -s http://localhost/h || exit 1"), "http://localhost/h"},
		"in a condition":             {sh("if ! curl -s http://localhost/h >/dev/null 2>&1; then exit 1; fi"), "http://localhost/h"},
		"with a variable":            {sh("curl http://$HOSTNAME:$PORT/h"), "http://$HOSTNAME:$PORT/h"},
		"fail":                       {[]string{"curl", "-f", "http://localhost/h"}, ""},
		"fail among others":          {[]string{"curl", "-sSfL", "http://localhost/h"}, ""},
		"fail, long":                 {[]string{"curl", "--fail", "http://localhost/h"}, ""},
		"fail with body":             {[]string{"curl", "--fail-with-body", "http://localhost/h"}, ""},
		"fail after the address":     {[]string{"curl", "http://localhost/h", "-f"}, ""},
		"a pipe":                     {sh("curl -s http://localhost/h | grep -q UP"), ""},
		"a comparison":               {sh(`test "$(curl -s -o /dev/null -w '%{http_code}' http://localhost/h)" = 200`), ""},
		"a variable that is read":    {sh("code=$(curl -s -w '%{http_code}' http://localhost/h); [ $code = 200 ]"), ""},
		"backticks":                  {sh("[ `curl -s http://localhost/h` = ok ]"), ""},
		"a file":                     {sh("curl -s http://localhost/h > /tmp/x && grep UP /tmp/x"), ""},
		"its own file":               {sh("curl -s -o /tmp/x http://localhost/h && grep UP /tmp/x"), ""},
		"a group and a pipe":         {sh("{ curl -s http://localhost/h; } | grep UP"), ""},
		"another group and a pipe":   {sh("(curl -s http://localhost/h) | grep UP"), ""},
		"another protocol":           {[]string{"curl", "telnet://localhost:80"}, ""},
		"no address":                 {[]string{"curl", "--version"}, ""},
		"a configuration":            {[]string{"curl", "-K", "/etc/curl", "http://localhost/h"}, ""},
		"another program":            {[]string{"wget", "http://localhost/h"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got, ok := UnreadCurl(c.command); got != c.want && (ok || c.want != "") || ok != (c.want != "") {
				t.Errorf("%q: unread %q (%v), want %q", c.command, got, ok, c.want)
			}
		})
	}
}
