package system

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestReplacedPlaces: a manifest is read again when the folder around it is another one, and goes
// on to be watched there.
func TestReplacedPlaces(t *testing.T) {
	for name, test := range map[string]struct {
		// lay makes a folder with pod.yaml, and replace puts another one in its place; what is
		// run is the folder at, or pod.yaml in it
		lay, replace func(t *testing.T, root string) error
		at           string
	}{
		"another folder, renamed": {
			func(t *testing.T, root string) error { return layFolder(t, root, "at", "60") },
			func(t *testing.T, root string) error {
				return errors.Join(layFolder(t, root, "new", "61"), os.Rename(filepath.Join(root, "at"), filepath.Join(root, "old")),
					os.Rename(filepath.Join(root, "new"), filepath.Join(root, "at")))
			}, "at",
		},
		"removed and made again": {
			func(t *testing.T, root string) error { return layFolder(t, root, "at", "60") },
			func(t *testing.T, root string) error {
				return errors.Join(os.RemoveAll(filepath.Join(root, "at")), layFolder(t, root, "at", "61"))
			}, "at",
		},
		"the folder above it": {
			func(t *testing.T, root string) error { return layFolder(t, root, "above/at", "60") },
			func(t *testing.T, root string) error {
				return errors.Join(layFolder(t, root, "new/at", "61"), os.Rename(filepath.Join(root, "above"), filepath.Join(root, "old")),
					os.Rename(filepath.Join(root, "new"), filepath.Join(root, "above")))
			}, "above/at",
		},
		"a link to another folder": {
			func(t *testing.T, root string) error {
				return errors.Join(layFolder(t, root, "one", "60"), os.Symlink("one", filepath.Join(root, "at")))
			},
			func(t *testing.T, root string) error {
				return errors.Join(layFolder(t, root, "two", "61"), swapLink(root, "two", "at"))
			}, "at",
		},
		"the volume of a ConfigMap": {
			func(t *testing.T, root string) error {
				return errors.Join(layFolder(t, root, "at/..1", "60"), os.Symlink("..1", filepath.Join(root, "at/..data")),
					os.Symlink("..data/pod.yaml", filepath.Join(root, "at/pod.yaml")))
			},
			func(t *testing.T, root string) error {
				return errors.Join(layFolder(t, root, "at/..2", "61"), swapLink(root, "..2", "at/..data"), os.RemoveAll(filepath.Join(root, "at/..1")))
			}, "at",
		},
	} {
		for _, of := range []string{"a file", "a folder"} {
			t.Run(name+"/"+of, func(t *testing.T) {
				t.Parallel()
				root, said := folder(t), make(notices, 64)
				if err := test.lay(t, root); err != nil {
					t.Fatal(err)
				}
				path := filepath.Join(root, test.at)
				if of == "a file" {
					path = filepath.Join(path, "pod.yaml")
				}
				s := started(t, t.Context(), Options{Manifests: []string{path}, StateDir: folder(t), Notice: said.say})
				runs(t, s, "web")
				if err := test.replace(t, root); err != nil {
					t.Fatal(err)
				}
				said.want(t, "pod/web replaced")
				podOf(t, filepath.Join(root, test.at, "pod.yaml"), "web", "Always", "exec sleep 62")
				said.want(t, "pod/web replaced")
			})
		}
	}
}

func layFolder(t *testing.T, root, name, seconds string) error {
	if err := os.MkdirAll(filepath.Join(root, name), 0o700); err != nil {
		return err
	}
	podOf(t, filepath.Join(root, name, "pod.yaml"), "web", "Always", "exec sleep "+seconds)
	return nil
}

// swapLink lets a link lead elsewhere at one instant.
func swapLink(root, to, name string) error {
	link := filepath.Join(root, name)
	return errors.Join(os.Symlink(to, link+".new"), os.Rename(link+".new", link))
}
