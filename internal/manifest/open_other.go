//go:build !unix

package manifest

// openNonblock is none where no file keeps the one who opens it waiting: in a browser, for example.
const openNonblock = 0
