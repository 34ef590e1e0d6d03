package kube

import (
	"errors"
	"io"
)

const (
	// maxPage bounds an answer in memory, in bytes; 500 of the largest objects that etcd takes
	// would not fit.
	maxPage = 512 << 20
	// maxChange bounds a change of a watch: many times the largest object that etcd takes.
	maxChange = 32 << 20
)

// errTooLong says that a server sends more than any has to send.
var errTooLong = errors.New("it is longer than anything that a cluster has")

// bounded reads no more than what is left: what a server sends is kept in memory until it is
// decoded, and one that does not end would take all of it.
type bounded struct {
	from io.Reader
	left int64 // in bytes
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	n, err := b.from.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
