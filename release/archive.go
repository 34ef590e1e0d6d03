package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"path"
	"time"
)

// The places of files in an archive. Packages have them where their system looks for them.
const (
	bashCompletion = "completions/probity.bash"
	zshCompletion  = "completions/_probity"
	fishCompletion = "completions/probity.fish"
	manFolder      = "man/man1"
)

// tarGz is a compressed archive of files in one folder, all of one time and of root.
func tarGz(files []file, folder string, at time.Time) ([]byte, error) {
	var out bytes.Buffer
	compressed, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if err := writeTar(compressed, files, folder, at); err != nil {
		return nil, err
	}
	if err := compressed.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// writeTar writes an archive in the order of the files.
func writeTar(w io.Writer, files []file, folder string, at time.Time) error {
	out := tar.NewWriter(w)
	for _, f := range files {
		header := &tar.Header{Name: path.Join(folder, f.name), Mode: int64(f.mode), Size: int64(len(f.data)), ModTime: at}
		if err := out.WriteHeader(header); err != nil {
			return fmt.Errorf("cannot archive %s: %w", f.name, err)
		}
		if _, err := out.Write(f.data); err != nil {
			return fmt.Errorf("cannot archive %s: %w", f.name, err)
		}
	}
	return out.Close()
}

// gzipped is data in the form of gzip, without a name or a time.
func gzipped(data []byte) ([]byte, error) {
	var out bytes.Buffer
	compressed, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := compressed.Write(data); err != nil {
		return nil, err
	}
	err = compressed.Close()
	return out.Bytes(), err
}
