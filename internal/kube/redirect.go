package kube

import (
	"errors"
	"net/http"
)

// maxRedirects is how often a server may send on.
const maxRedirects = 10

// stay follows what a server sends on to itself. Another one is not asked: it would get the
// credentials, and with a change all that is sent, such as a Secret, and neither was meant for it.
// An answer of the server that is none takes its place.
func stay(next *http.Request, before []*http.Request) error {
	first := before[0].URL
	switch {
	case next.URL.Scheme != first.Scheme || next.URL.Host != first.Host:
		return http.ErrUseLastResponse
	case len(before) >= maxRedirects:
		return errors.New("the server sends from one address of its own to the next")
	}
	return nil
}
