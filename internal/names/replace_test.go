package names

import (
	"strings"
	"testing"
)

// exampleLookup knows store:8080, which is where it says, frontend:80, which works on 8080 only,
// and their full names.
func exampleLookup(host string, port int) (string, int, bool) {
	name, domain, _ := strings.Cut(strings.ToLower(host), ".")
	if domain != "" && domain != "shop" && domain != "shop.svc.cluster.local" {
		return "", 0, false
	}
	switch {
	case name == "store" && (port == 8080 || port == 0):
		return "127.77.0.1", 8080 * min(port, 1), true
	case name == "frontend" && port == 80:
		return "127.77.0.2", 8080, true
	case name == "cache" && (port == 6379 || port == 0):
		return "127.77.0.3", 6379, true
	}
	return "", 0, false
}

func TestReplace(t *testing.T) {
	same := "" // stays as it is
	for value, want := range map[string]string{
		"store:8080":                      "127.77.0.1:8080",
		"frontend:80":                     "127.77.0.2:8080",
		"store.shop:8080":                 "127.77.0.1:8080",
		"store.shop.svc.cluster.local":    "127.77.0.1",
		"STORE:8080":                      "127.77.0.1:8080",
		"http://store:8080/x?y=store":     "http://127.77.0.1:8080/x?y=store",
		"http://frontend":                 "http://127.77.0.2:8080",
		"http://frontend/a":               "http://127.77.0.2:8080/a",
		"https://frontend":                same, // nobody answers on 443
		"redis://cache":                   "redis://127.77.0.3",
		"redis://:secret@cache:6379/0":    "redis://:secret@127.77.0.3:6379/0",
		"redis://store:8080@cache/0":      "redis://store:8080@127.77.0.3/0",
		"redis://store@cache/0":           "redis://store@127.77.0.3/0",
		"root:pw@tcp(store:8080)/db":      "root:pw@tcp(127.77.0.1:8080)/db",
		"root:pw@store:8080":              "root:pw@127.77.0.1:8080",
		"me@store.shop":                   same,
		"jdbc:x://store:8080/db":          "jdbc:x://127.77.0.1:8080/db",
		"store:8080,frontend:80; cache":   "127.77.0.1:8080,127.77.0.2:8080; cache",
		"host=store.shop port=8080":       "host=127.77.0.1 port=8080",
		`{"store":"store:8080"}`:          `{"store":"127.77.0.1:8080"}`,
		"mongodb://store:8080,store:8080": "mongodb://127.77.0.1:8080,127.77.0.1:8080",
		"store":                           same,
		"store:8081":                      same,
		"store:8080x":                     same,
		"store:8080:1":                    same,
		"my-store:8080":                   same,
		"mystore.example.com:8080":        same,
		"/etc/store:8080":                 same,
		"registry/store:8080":             same,
		"store:":                          same,
		"store_x:8080":                    same,
		"_store:8080":                     same,
		"$(store:8080)":                   "$(127.77.0.1:8080)",
		"127.0.0.1:8080":                  same,
		"":                                same,
		"store:99999999999999":            same,
		"store:0":                         same,
		"http://x/store:8080":             same,
		"http://x:80/store.shop":          same,
		"frontend.shop":                   same, // the program would add port 80
		"..store:8080":                    same,
	} {
		wanted, changes := want, want != same
		if !changes {
			wanted = value
		}
		if got, changed := Replace(value, exampleLookup); got != wanted || changed != changes {
			t.Errorf("Replace(%q) = %q, %v, want %q, %v", value, got, changed, wanted, changes)
		}
	}
}

func FuzzReplace(f *testing.F) {
	f.Add("http://a:b@store:8080/x,frontend:80")
	f.Add("redis://cache")
	f.Fuzz(func(t *testing.T, value string) {
		replaced, changed := Replace(value, exampleLookup)
		if !changed && replaced != value {
			t.Fatalf("%q has become %q, and nothing was to change", value, replaced)
		}
		if again, _ := Replace(replaced, exampleLookup); changed && strings.Count(again, "127.77.0.") < strings.Count(replaced, "127.77.0.") {
			t.Fatalf("%q has become %q, and then %q", value, replaced, again)
		}
		nobody := func(string, int) (string, int, bool) { return "", 0, false }
		if replaced, changed := Replace(value, nobody); changed || replaced != value {
			t.Fatalf("%q has become %q although nothing is known", value, replaced)
		}
	})
}

// TestReplaceHosts: addresses are hosts as well, numbers are not.
func TestReplaceHosts(t *testing.T) {
	lookup := func(host string, port int) (string, int, bool) {
		switch {
		case host == "::1" && port > 0:
			return "::1", 10000 + port, true
		case host != "127.0.0.1" && host != "localhost" || port == 0:
			return "", 0, false
		}
		return "127.0.0.1", 10000 + port, true
	}
	for value, want := range map[string]string{
		"127.0.0.1:5432":                      "127.0.0.1:15432",
		"localhost:80":                        "127.0.0.1:10080",
		"postgres://me:pw@127.0.0.1/db":       "postgres://me:pw@127.0.0.1:15432/db",
		"mongodb://127.0.0.1:1,127.0.0.2:2/x": "mongodb://127.0.0.1:10001,127.0.0.2:2/x",
		"10.0.0.1:80":                         "10.0.0.1:80",
		"[::1]:5432":                          "[::1]:15432",
		"postgres://me:pw@[::1]/db":           "postgres://me:pw@[::1]:15432/db",
		"127.0.0.1:1,[::1]:2":                 "127.0.0.1:10001,[::1]:10002",
		"[::1]":                               "[::1]",
		"::1":                                 "::1",
		"[::2]:80 [x]:80 []:80 [":             "[::2]:80 [x]:80 []:80 [",
		"1.5":                                 "1.5",
		"17:30":                               "17:30",
	} {
		if got, changed := ReplaceHosts(value, lookup); got != want || changed != (got != value) {
			t.Errorf("%s: %s, %v; want %s", value, got, changed, want)
		}
	}
}
