package dashboard

import "path/filepath"

// fromFolder is the path of a file from the folder of the run, as a person would type it there; the
// whole path of one that is not below it, or if the folder is not known.
func (s *Server) fromFolder(file string) string {
	if s.opts.Folder == "" || !filepath.IsAbs(file) {
		return file
	}
	path, err := filepath.Rel(s.opts.Folder, file)
	if err != nil || !filepath.IsLocal(path) {
		return file
	}
	return path
}
