package fix

import (
	"bytes"
	"errors"
	"io"
	"os"
)

// Overwrite gives a file another text. It keeps the file's mode, and its identity: it may be a
// link. A file that somebody has changed meanwhile stays as it is, and so does one for whose new
// text there is no room.
func Overwrite(path string, before, after []byte) (err error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	now, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	if !bytes.Equal(now, before) {
		return errors.New("it has been changed meanwhile, and nothing is written")
	}
	return replaceText(f, before, after)
}

// textFile is what replaceText asks of a file.
type textFile interface {
	io.WriterAt
	Truncate(size int64) error
}

// replaceText leaves the old text if the new one cannot be written. It does not truncate first: the
// old one still has its place then if there is none for more.
func replaceText(f textFile, before, after []byte) error {
	write := func(text []byte) error {
		if _, err := f.WriteAt(text, 0); err != nil {
			return err
		}
		return f.Truncate(int64(len(text)))
	}
	if err := write(after); err != nil {
		return errors.Join(err, write(before))
	}
	return nil
}
