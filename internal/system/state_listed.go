package system

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// listing is the link by which other commands of this user find a state folder of another place.
type listing struct {
	link string   // "" if there is none
	made []string // the folders that were made for it, the deepest first
}

// list makes a link to a state folder of another place. Without it other commands have to be told
// the folder, so it is only a remark if that fails. One that a killed run has left is replaced.
func (s *stateDir) list() {
	home, err := stateHome()
	if err != nil || filepath.Dir(s.dir) == home {
		return // without a home nobody looks there
	}
	link := filepath.Join(home, manifestKey([]string{s.dir}))
	for range 2 { // a run that ends may take the folder away between two steps
		s.listing.made = missingFolders(home)
		if err = makeLink(s.dir, link); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if err != nil {
		s.remarks = append(s.remarks, "probity: probity ls does not list this run: "+err.Error())
		return
	}
	s.listing.link = link
}

// makeLink makes or replaces a link in a folder of this user.
func makeLink(to, link string) error {
	root, err := openOwnDir(filepath.Dir(link))
	if err != nil {
		return err
	}
	defer root.Close() // only used for names
	if err := root.Remove(filepath.Base(link)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Symlink(to, link)
}

// missingFolders are those that have to be made so that there is a folder, the deepest first.
func missingFolders(dir string) (missing []string) {
	for dir != filepath.Dir(dir) {
		if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		missing = append(missing, dir)
		dir = filepath.Dir(dir)
	}
	return missing
}

// remove takes the link away, and the folders that were made for it if nobody uses them.
func (l listing) remove() error {
	if l.link == "" {
		return nil
	}
	if err := os.Remove(l.link); err != nil {
		return err
	}
	for _, dir := range l.made {
		if os.Remove(dir) != nil {
			break // there is something in it: it belongs to others now
		}
	}
	return nil
}
