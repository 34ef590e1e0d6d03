package cli

import (
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/probity-run/probity/internal/system"
	"github.com/probity-run/probity/internal/terminal/live"
)

// keysOf is where a person's keys are read: standard input, if it is a file.
func keysOf(in io.Reader) *os.File {
	file, _ := in.(*os.File) // else /dev/tty
	return file
}

// attended is what the live view knows of a run beside its objects, and what it can do to it.
func attended(s *system.System, paths []string) live.Run {
	var names []string
	for _, path := range paths {
		names = append(names, filepath.Base(path))
	}
	run := live.Run{
		Title: strings.Join(names, " "), Store: s.Store(), History: s.History(), Listeners: s.Listeners, OpenLog: s.OpenLog, Place: s.Place, LogDir: s.LogDir(),
		Restart: s.Restart, Delete: s.DeletePod, SetRotation: s.SetRotation, Stopping: s.Stopping,
	}
	if p := s.Proxy(); p != nil {
		run.Traffic = p.State
	}
	return run
}
