package process

import (
	"slices"
	"testing"
)

func TestCleanMappings(t *testing.T) {
	const smaps = `00400000-00401000 r-xp 00000000 fe:00 4711                               /bin/program
Size:               4096 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me
00501000-00502000 r--p 00100000 fe:00 4711                               /bin/program
Anonymous:             4 kB
00601000-00602000 rw-p 00200000 fe:00 4711                               /bin/program
Anonymous:             0 kB
00701000-00702000 r--p 00300000 fe:00 4711                               /bin/program
Anonymous:             0 kB
7f0000000000-7f0000001000 r-xp 00000000 fe:00 4712                       /lib/library
Anonymous:             0 kB
7f0000002000-7f0000003000 r--p 00000000 00:00 0
Anonymous:             0 kB
7f0000004000-7f0000005000 r--p 00000000 00:00 0                          [vvar]
Anonymous:             0 kB
7f0000006000-7f0000007000 r--p 00000000 fe:00 4713                       /lib/replaced (deleted)
Anonymous:             0 kB
`
	want := []mapping{{0x400000, 0x401000}, {0x701000, 0x702000}, {0x7f0000000000, 0x7f0000001000}}
	if got := cleanMappings(smaps); !slices.Equal(got, want) {
		t.Errorf("mappings = %x, want %x", got, want)
	}
}

func TestDropFilePages(t *testing.T) {
	if err := DropFilePages(); err != nil {
		t.Error(err) // and the test goes on, from pages that had to come back
	}
}
