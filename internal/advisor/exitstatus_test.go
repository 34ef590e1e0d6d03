package advisor

import "testing"

func TestCannotFail(t *testing.T) {
	sh := func(script string) []string { return []string{"/bin/sh", "-c", script} }
	for name, c := range map[string]struct {
		command []string
		ok      bool
		lost    string
	}{
		"true":                              {[]string{"/bin/true"}, true, ""},
		"echo":                              {[]string{"echo", "ok"}, true, ""},
		"ps":                                {[]string{"ps", "-ef"}, true, ""},
		"ps of a command":                   {[]string{"ps", "-C", "nginx"}, false, ""},
		"ps of a process":                   {sh("ps --pid 1 >/dev/null"), false, ""},
		"an idle shell":                     {[]string{"bash"}, true, ""},
		"a time limit around it":            {[]string{"timeout", "5", "true"}, true, ""},
		"an empty script":                   {sh(""), true, ""},
		"or true":                           {sh("curl -f http://localhost/ || true"), true, ""},
		"or echo":                           {sh("curl -f http://localhost/ || echo down"), true, ""},
		"or exit 0":                         {sh("curl -f http://localhost/ || exit 0"), true, ""},
		"then exit 0":                       {sh("curl -f http://localhost/; exit 0"), true, ""},
		"then true on a line of its own":    {sh("curl -f http://localhost/\ntrue\n"), true, ""},
		"both ways 0":                       {sh("test -f /x && exit 0 || exit 0"), true, ""},
		"a failure and then true":           {sh("false || true"), true, ""},
		"a background of redirections":      {sh("ls >/dev/null 2>&1; :"), true, ""},
		"through a shell in a shell":        {[]string{"timeout", "3", "sh", "-c", "true"}, true, ""},
		"a pipe into cat":                   {sh("pg_isready -q | cat"), true, "pg_isready -q"},
		"a pipe into tee and then a check":  {sh("pg_isready | tee /tmp/log || exit 1"), true, "pg_isready"},
		"a pipe into head":                  {sh("curl -sf http://localhost/ | head -n 1"), true, "curl -sf http://localhost/"},
		"echo into cat":                     {sh("echo ok | cat"), true, ""},
		"in the background":                 {sh("pg_isready &"), true, ""},
		"in the background, then a check":   {sh("pg_isready -h a & pg_isready"), false, ""},
		"a plain command":                   {[]string{"pg_isready"}, false, ""},
		"false":                             {sh("false"), false, ""},
		"always 1":                          {sh("curl http://localhost/; exit 1"), false, ""},
		"or exit 1":                         {sh("curl -f http://localhost/ || exit 1"), false, ""},
		"and echo":                          {sh("curl -f http://localhost/ && echo up"), false, ""},
		"true in the middle":                {sh("true && pg_isready"), false, ""},
		"its own status":                    {sh("pg_isready; exit $?"), false, ""},
		"a variable":                        {sh("pg_isready; x=$?; exit $x"), false, ""},
		"errexit":                           {[]string{"sh", "-ec", "pg_isready; true"}, false, ""},
		"errexit by set":                    {sh("set -e\npg_isready\nexit 0"), false, ""},
		"errexit does not reach or":         {[]string{"sh", "-ec", "pg_isready || true"}, true, ""},
		"pipefail":                          {sh("set -o pipefail; pg_isready | cat"), false, ""},
		"pipefail as an option":             {[]string{"bash", "-eo", "pipefail", "-c", "pg_isready | cat"}, false, ""},
		"a pipe into grep":                  {sh("redis-cli ping | grep PONG"), false, ""},
		"a pipe and a comparison":           {sh(`[ "$(redis-cli ping | head -1)" = PONG ]`), false, ""},
		"an assignment with a substitution": {sh("x=$(pg_isready)"), false, ""},
		"sed that quits with a status":      {sh("cat /x | sed '/a/q1'"), false, ""},
		"awk that exits":                    {sh("cat /x | awk '{exit $1}'"), false, ""},
		"a compound command":                {sh("if pg_isready; then exit 0; else exit 1; fi"), false, ""},
		"a group":                           {sh("(pg_isready) | cat"), false, ""},
		"a here-document":                   {sh("psql <<EOF\nselect 1;\nEOF\n"), false, ""},
		"a connection by the shell":         {[]string{"bash", "-c", "</dev/tcp/localhost/8080"}, false, ""},
		"a connection for echo":             {[]string{"bash", "-c", "echo > /dev/tcp/localhost/8080"}, false, ""},
		"a connection in a subshell":        {[]string{"bash", "-c", "(: > /dev/tcp/localhost/8080) >/dev/null 2>&1"}, false, ""},
		"a descriptor of its own":           {[]string{"bash", "-c", "exec 3<>/dev/tcp/localhost/8080"}, false, ""},
		"a file that must be there":         {sh(": < /tmp/healthy"), false, ""},
		"a file that must be writable":      {sh("echo x > /data/probe"), false, ""},
		"output to nobody":                  {sh("echo x > /dev/null"), true, ""},
		"errors to the output":              {sh("echo x >&2 2>&1"), true, ""},
		"a string":                          {sh("echo x <<< y"), true, ""},
		"a connection and then true":        {[]string{"bash", "-c", "</dev/tcp/localhost/8080 || true"}, true, ""},
		"a script file":                     {[]string{"sh", "/probe.sh"}, false, ""},
		"a negation":                        {sh("! true"), false, ""},
		"a script whose end is not reached": {sh("pg_isready || exit 1; echo ok"), false, ""},
		"exit 1 and what is never run":      {sh("exit 1; true"), false, ""},
		"nothing":                           {nil, false, ""},
		"an operator and nothing behind it": {sh("a |"), false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if lost, ok := CannotFail(c.command); ok != c.ok || lost != c.lost {
				t.Errorf("%q: cannot fail %v, lost %q; want %v, %q", c.command, ok, lost, c.ok, c.lost)
			}
		})
	}
}

func FuzzCannotFail(f *testing.F) {
	for _, script := range []string{"a | b || c", "( a ) | cat", "$(a `b` \"$(c\")", "a 2>&- &> b", "exit", "set -e -o", "|", ">", "a;;b |& c"} {
		f.Add(script)
	}
	f.Fuzz(func(t *testing.T, script string) {
		if lost, ok := CannotFail([]string{"sh", "-c", script}); !ok && lost != "" {
			t.Errorf("%q can fail, but a pipe loses the status of %q", script, lost)
		}
		UnreadCurl([]string{"sh", "-c", script})
	})
}
