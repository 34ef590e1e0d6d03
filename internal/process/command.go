package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// defaultPath is what container runtimes use when the environment has no PATH.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// maxCommand bounds arguments and environment together. The kernel's own limit is lower, a quarter
// of the stack limit and 6 MiB at most.
const maxCommand = 8 << 20

// command is a Spec made ready for execve: absolute path and directory, each variable once.
type command struct {
	path string
	argv []string
	env  []string
	dir  string
	// terminal is set if its standard input becomes its controlling terminal.
	terminal bool
	// oomScore is for /proc/self/oom_score_adj; 0 leaves it as it is.
	oomScore  uint64
	namespace Namespace           // none if its key is empty
	watched   bool                // its connects are reported
	connects  func(Connect) Route // to whom; only on this side of the shepherd's socket
}

// maxOOMScore is the largest value of oom_score_adj.
const maxOOMScore = 1000

func resolve(spec Spec) (command, error) {
	if len(spec.Argv) == 0 || spec.Argv[0] == "" {
		return command{}, &StartError{Reason: "the command is empty", Err: syscall.EINVAL}
	}
	name := spec.Argv[0]
	env := uniqueEnv(spec.Env, spec.Container)
	if err := checkWords(name, slices.Concat(spec.Argv, env, []string{spec.Dir})); err != nil {
		return command{}, err
	}
	dir, err := workingDir(name, spec.Dir)
	if err != nil {
		return command{}, err
	}
	path, err := lookPath(name, dir, env)
	if err != nil {
		return command{}, err
	}
	c := command{path: path, argv: spec.Argv, env: env, dir: dir, terminal: spec.Terminal, oomScore: uint64(min(max(spec.OOMScore, 0), maxOOMScore)), watched: spec.Connects != nil, connects: spec.Connects}
	if spec.Namespace != nil {
		c.namespace = *spec.Namespace
	}
	return c, nil
}

// checkWords refuses what execve cannot take.
func checkWords(name string, words []string) error {
	size := 0
	for _, word := range words {
		if strings.ContainsRune(word, 0) {
			return &StartError{Name: name, Reason: "an argument, a variable or the directory contains a NUL byte", Err: syscall.EINVAL}
		}
		size += len(word)
	}
	if size > maxCommand {
		return startError(name, "", "", stepExec, syscall.E2BIG)
	}
	return nil
}

// uniqueEnv keeps the last value of each variable, at the place of its first, and adds the name of
// the container.
func uniqueEnv(env []string, container string) []string {
	unique := make([]string, 0, len(env)+1)
	place := make(map[string]int, len(env)+1)
	put := func(entry string) {
		key, _, _ := strings.Cut(entry, "=")
		if at, ok := place[key]; ok {
			unique[at] = entry
			return
		}
		place[key] = len(unique)
		unique = append(unique, entry)
	}
	for _, entry := range env {
		put(entry)
	}
	if container != "" {
		put(ContainerVariable + "=" + container)
	}
	return unique
}

func workingDir(name, dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", startError(name, "", dir, stepDir, err)
	}
	info, err := os.Stat(abs)
	if err == nil && !info.IsDir() {
		err = syscall.ENOTDIR
	}
	if err != nil {
		return "", startError(name, "", abs, stepDir, cause(err))
	}
	return abs, nil
}

func lookPath(name, dir string, env []string) (string, error) {
	if strings.Contains(name, "/") {
		path := within(dir, name)
		if err := executable(path); err != nil {
			return "", startError(name, path, dir, stepExec, err)
		}
		return path, nil
	}
	search := defaultPath
	for _, entry := range env {
		if value, ok := strings.CutPrefix(entry, "PATH="); ok {
			search = value
		}
	}
	return searchPath(name, dir, search)
}

// searchPath looks in each directory of search, as execvp does: an empty one means dir, a file that
// may not be executed is passed over and remembered.
func searchPath(name, dir, search string) (string, error) {
	var refused *StartError
	for _, folder := range filepath.SplitList(search) {
		path := filepath.Join(within(dir, folder), name)
		err := executable(path)
		if err == nil {
			return path, nil
		}
		if refused == nil && errors.Is(err, fs.ErrPermission) {
			refused = startError(name, path, dir, stepExec, err)
		}
	}
	if refused != nil {
		return "", refused
	}
	reason := fmt.Sprintf("it is in none of the directories of PATH (%s)", search)
	return "", &StartError{Name: name, Path: name, Reason: reason, Err: syscall.ENOENT}
}

func within(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// executable is a check before the start, whose error can name the path; execve decides.
func executable(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return cause(err)
	case info.IsDir():
		return syscall.EISDIR
	case info.Mode()&0o111 == 0:
		return syscall.EACCES
	}
	return nil
}

// cause strips the path from a file error, because ours names it already.
func cause(err error) error {
	if pathError, ok := errors.AsType[*fs.PathError](err); ok {
		return pathError.Err
	}
	return err
}

// Check says why a Spec could not be started, as far as that can be known without trying: no such
// program, not executable, no such directory. The error is a *[StartError].
func Check(spec Spec) error {
	_, err := resolve(spec)
	return err
}
