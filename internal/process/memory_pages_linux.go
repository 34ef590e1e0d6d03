package process

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// DropFilePages takes the pages of the program's file and of its libraries out of this process's
// resident memory; those that are still needed come back from the page cache when they are used. A
// large part of a program's code runs once, when its packages are initialised, and would otherwise
// stay resident until the process ends.
func DropFilePages() error {
	smaps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return fmt.Errorf("cannot list the memory of this process: %w", err)
	}
	for _, m := range cleanMappings(string(smaps)) {
		if _, _, errno := unix.RawSyscall(unix.SYS_MADVISE, m.begin, m.end-m.begin, unix.MADV_DONTNEED); errno != 0 {
			return fmt.Errorf("cannot trim the memory of this process: %w", os.NewSyscallError("madvise", errno))
		}
	}
	return nil
}

// mapping is a range of addresses.
type mapping struct{ begin, end uintptr }

// cleanMappings finds, in the form of /proc/pid/smaps, where a file is mapped and every page is as
// it is in the file: a page that was written once, as the loader does where it relocates, is
// nowhere else. A file that was deleted is left alone.
func cleanMappings(smaps string) (clean []mapping) {
	var last mapping // of a file; zero if the lines are about something else
	for line := range strings.Lines(smaps) {
		fields := strings.Fields(line)
		switch {
		case len(fields) >= 5 && !strings.HasSuffix(fields[0], ":"):
			last = mapping{}
			if len(fields) == 6 && strings.HasPrefix(fields[5], "/") && !strings.Contains(fields[1], "w") {
				// what cannot be read stays zero
				_, _ = fmt.Sscanf(fields[0], "%x-%x", &last.begin, &last.end)
			}
		case len(fields) == 3 && fields[0] == "Anonymous:" && fields[1] == "0" && last.end > last.begin:
			clean = append(clean, last)
		}
	}
	return clean
}
