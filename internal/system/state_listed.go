package system

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// list makes a link to a state folder of another place, so that other commands of this user find
// the run. Without it they have to be told the folder, so it is only a remark if that fails. One
// that a killed run has left is replaced.
func (s *stateDir) list() {
	home, err := stateHome()
	if err != nil || filepath.Dir(s.dir) == home {
		return // without a home nobody looks there
	}
	root, err := openOwnDir(home)
	if err == nil {
		defer root.Close() // only used for names
		name := manifestKey([]string{s.dir})
		if err = root.Remove(name); err == nil || errors.Is(err, fs.ErrNotExist) {
			err = os.Symlink(s.dir, filepath.Join(home, name))
		}
		if err == nil {
			s.link = filepath.Join(home, name)
			return
		}
	}
	s.remarks = append(s.remarks, "probity: probity ls does not list this run: "+err.Error())
}
