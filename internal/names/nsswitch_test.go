package names

import (
	"strings"
	"testing"
)

func TestFilesFirst(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"first":               {"passwd: files\nhosts: files dns\n", ""},
		"alone":               {"hosts:files", ""},
		"as systemd has it":   {"hosts: mymachines resolve [!UNAVAIL=return] files myhostname dns\n", "hosts: files mymachines resolve [!UNAVAIL=return] myhostname dns\n"},
		"what comes after it": {"hosts:\tdns files [NOTFOUND=return] mdns # x\nnetworks: files\n", "hosts: files dns mdns\nnetworks: files\n"},
		"two actions":         {"hosts: dns[!UNAVAIL=return NOTFOUND=return]files\n", "hosts: files dns [!UNAVAIL=return NOTFOUND=return]\n"},
		"without it":          {"hosts: dns\n", "hosts: files dns\n"},
		"no sources":          {"hosts:\n", "hosts: files\n"},
		"no such database":    {"#hosts: dns\npasswd: files", "#hosts: dns\npasswd: files\nhosts: files dns\n"},
		"twice":               {"hosts: files\nhosts: dns files\n", "hosts: files\nhosts: files dns\n"},
		"empty":               {"", "hosts: files dns\n"},
		"unclosed":            {"hosts: dns [x files\n", "hosts: files dns [x files\n"},
	} {
		t.Run(name, func(t *testing.T) {
			want, changes := tt.want, tt.want != ""
			if !changes {
				want = tt.text
			}
			got, changed := FilesFirst(tt.text)
			if got != want || changed != changes {
				t.Errorf("FilesFirst = %q, %v, want %q, %v", got, changed, want, changes)
			}
		})
	}
}

func FuzzFilesFirst(f *testing.F) {
	f.Add("hosts: mymachines resolve [!UNAVAIL=return] files myhostname dns\n")
	f.Add("hosts: [a")
	f.Fuzz(func(t *testing.T, text string) {
		first, changed := FilesFirst(text)
		if !changed && first != text {
			t.Fatalf("%q has become %q, and nothing was to change", text, first)
		}
		if again, changed := FilesFirst(first); changed || again != first {
			t.Fatalf("%q has become %q, and then %q", text, first, again)
		}
		if !strings.Contains(first, "hosts") {
			t.Fatalf("%q says nothing about hosts", first)
		}
	})
}
