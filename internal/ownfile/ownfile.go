// Package ownfile reads and writes files that belong to one user alone, in a folder of which the
// caller knows that nobody else can change it, or that it is a common one with the sticky bit.
// Such a file is replaced as a whole, and one that somebody else could have put there is refused.
package ownfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// What a file must not allow to others if [Read] is to accept it.
const (
	Unwritable fs.FileMode = 0o022 // to write to it
	Private    fs.FileMode = 0o077 // anything
)

// maxSize is how long a file may be, in bytes. What is kept in such files is a thousandth of it.
const maxSize = 4 << 20

// OwnerOf is the user id of a file's owner; -1 if the system does not tell.
func OwnerOf(info fs.FileInfo) int {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(stat.Uid)
	}
	return -1
}

// Read returns the content of a file of a folder. It follows no symbolic link, and refuses what is
// no regular file, belongs to another user, allows others what is denied to them, or is longer than
// 4 MiB. The error names the path and what to do; without such a file it is [fs.ErrNotExist].
func Read(folder *os.Root, name string, denied fs.FileMode) ([]byte, error) {
	file, err := open(folder, name)
	if err != nil {
		return nil, err
	}
	defer file.Close() // only read from
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if err := check(file.Name(), info, denied); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(file, maxSize+1))
	if err == nil && len(data) > maxSize {
		err = fmt.Errorf("%s is longer than %d bytes", file.Name(), maxSize)
	}
	return data, err
}

// open opens a file for reading. The methods of [os.Root] do not do, as they follow symbolic links
// inside of the folder whatever the flags are.
func open(folder *os.Root, name string) (*os.File, error) {
	path := filepath.Join(folder.Name(), name)
	if !filepath.IsLocal(name) || filepath.Base(name) != name {
		return nil, fmt.Errorf("%s cannot be the path of a file", path)
	}
	dir, err := folder.Open(".")
	if err != nil {
		return nil, err
	}
	defer dir.Close() // only used for a name
	for {
		// a pipe would wait for a writer otherwise
		fd, err := unix.Openat(int(dir.Fd()), name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		switch {
		case err == nil:
			return os.NewFile(uintptr(fd), path), nil
		case errors.Is(err, unix.ELOOP):
			return nil, fmt.Errorf("%s is a symbolic link, which is not followed: name the file itself", path)
		case !errors.Is(err, unix.EINTR):
			return nil, &fs.PathError{Op: "open", Path: path, Err: err}
		}
	}
}

func check(path string, info fs.FileInfo, denied fs.FileMode) error {
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", path)
	}
	if owner := OwnerOf(info); owner != os.Geteuid() {
		return fmt.Errorf("%s belongs to another user (id %d)", path, owner)
	}
	mode := info.Mode().Perm()
	switch {
	case mode&denied&Unwritable != 0:
		return fmt.Errorf("%s can be written to by others (mode %04o): look at what is in it, then chmod 600 it", path, mode)
	case mode&denied != 0:
		return fmt.Errorf("%s can be read by others (mode %04o): chmod 600 it", path, mode)
	}
	return nil
}

// unfinished is the name of a file while it is being written.
func unfinished(name string) string { return "." + name + ".probity-new" }

// IsUnfinished reports whether a name is that of a file which was being written when its writer was
// killed, and of which one.
func IsUnfinished(name string) (of string, ok bool) {
	of, dot := strings.CutPrefix(name, ".")
	of, suffix := strings.CutSuffix(of, ".probity-new")
	return of, dot && suffix
}

// Write makes or replaces a file, with mode 0600. Whoever reads it sees the old content or the new
// one. One caller at a time may write a file: it is made under a second name that is fixed, and
// what a killed one has left there is removed. What is longer than [Read] takes is refused.
func Write(folder *os.Root, name string, data []byte) error {
	return replace(folder, name, data, func(*os.File) error { return nil })
}

// WriteDurable is [Write] for what must not be lost: after a failure of power the file has the old
// content or the new one, too. It waits for the disk.
func WriteDurable(folder *os.Root, name string, data []byte) error {
	return replace(folder, name, data, (*os.File).Sync)
}

func replace(folder *os.Root, name string, data []byte, settle func(*os.File) error) error {
	if len(data) > maxSize {
		return fmt.Errorf("%s would be longer than %d bytes", filepath.Join(folder.Name(), name), maxSize)
	}
	next := unfinished(name)
	if err := folder.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, err := folder.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err == nil {
		err = settle(file)
	}
	err = errors.Join(err, file.Close())
	if err == nil {
		err = folder.Rename(next, name)
	}
	if err != nil {
		return errors.Join(err, folder.Remove(next))
	}
	return nil
}
