package kube

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/probity-run/probity/internal/printable"
)

// UnheardError says that a server could not be asked: nobody answers, it is not the one that the
// kubeconfig means, or what is needed to ask it is missing. It is one line.
type UnheardError struct {
	// Server is the URL of the API server.
	Server string
	// Err is what net/http, TLS or a plugin says.
	Err error
}

func (e *UnheardError) Error() string { return printable.Line(e.Server) + " " + whyUnheard(e.Err) }

func (e *UnheardError) Unwrap() error { return e.Err }

// unheard is the error of a request without an answer. That of somebody who gave up stays what it
// is.
func (c *Client) unheard(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return err
	}
	return &UnheardError{c.shown, err}
}

// whyUnheard says what a server does instead of answering.
func whyUnheard(err error) string {
	if text := whyUntrusted(err); text != "" {
		return text
	}
	if lookup, ok := errors.AsType[*net.DNSError](err); ok {
		if lookup.IsNotFound {
			return fmt.Sprintf("is not found: there is no host %s (see server in the kubeconfig)", printable.Line(lookup.Name))
		}
		return "is not found: " + oneLine(lookup.Error())
	}
	if request, ok := errors.AsType[*url.Error](err); ok {
		err = request.Err // without the path
	}
	timeout, ok := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "does not answer: connection refused"
	case ok && timeout.Timeout():
		return "does not answer in time: " + oneLine(err.Error())
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "breaks the connection off: " + oneLine(err.Error())
	case errors.Is(err, http.ErrSchemeMismatch):
		return "does not speak TLS (see server in the kubeconfig)"
	}
	return "cannot be asked: " + oneLine(err.Error())
}

// whyUntrusted says what certificates are not as they have to be; "" if it is not they.
func whyUntrusted(err error) string {
	if name, ok := errors.AsType[x509.HostnameError](err); ok {
		text := fmt.Sprintf("has a certificate that is not for %s", printable.Line(name.Host))
		if names := namesOf(name.Certificate); len(names) > 0 {
			text += fmt.Sprintf(" but for %s: set tls-server-name in the kubeconfig to one of these", printable.Line(strings.Join(names, ", ")))
		}
		return text
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "has a certificate of an unknown authority (see certificate-authority-data in the kubeconfig)"
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		return "has a certificate that is not valid: " + oneLine(invalid.Error())
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "remote error" && strings.Contains(op.Err.Error(), "certificate") {
		return "does not take the client certificate of the kubeconfig: " + oneLine(op.Err.Error())
	}
	return ""
}

// namesOf are those that a certificate is for.
func namesOf(certificate *x509.Certificate) (names []string) {
	names = slices.Clone(certificate.DNSNames)
	for _, ip := range certificate.IPAddresses {
		names = append(names, ip.String())
	}
	return names
}

// stranger adds to the error of a server that does not know who asks what one can do.
func (c *Client) stranger(err error) error {
	if !apierrors.IsUnauthorized(err) {
		return err
	}
	return fmt.Errorf("%s does not take the credentials of the kubeconfig, which are wrong or have expired (log in to the cluster again): %w", printable.Line(c.shown), err)
}

// denied says of a server that forbids to list or watch a kind what it forbids, and where.
func denied(verb string, kind Kind, namespace string, err error) error {
	if !apierrors.IsForbidden(err) {
		return err
	}
	return fmt.Errorf("%s: %w", mayNot(verb, []string{kind.Plural}, namespace), err)
}

// mayNot says what is forbidden, and where that may be another matter.
func mayNot(verb string, kinds []string, namespace string) string {
	text := fmt.Sprintf("may not %s %s in ", verb, strings.Join(kinds, ", "))
	if namespace == "" {
		return text + "all namespaces; try one with -n"
	}
	return text + "namespace " + printable.Line(namespace)
}

// oneLine is a text of others on one line.
func oneLine(text string) string { return printable.Line(strings.Join(strings.Fields(text), " ")) }
