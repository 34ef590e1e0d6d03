package proxy

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
)

// Why a request over HTTP/2 is refused for its Content-Length, in the words of the answer.
var (
	errTwoLengths  = errors.New("the request has more than one Content-Length")
	errBadLength   = errors.New("the Content-Length is not a number")
	errWrongLength = errors.New("the Content-Length is not the length of the body")
)

// checkHTTP2Length says what is wrong with the Content-Length of a request over HTTP/2. That the
// body has that length, net/http sees to as the body is read.
func checkHTTP2Length(r *http.Request) error {
	lengths := r.Header["Content-Length"]
	switch {
	case len(lengths) == 0:
		return nil
	case len(lengths) > 1 || strings.Contains(lengths[0], ","):
		return errTwoLengths
	}
	length, err := strconv.ParseUint(lengths[0], 10, 63)
	switch {
	case err != nil:
		return errBadLength
	case length != uint64(r.ContentLength): // there is no body
		return errWrongLength
	}
	return nil
}
