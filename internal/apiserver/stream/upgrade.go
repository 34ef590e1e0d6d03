package stream

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
)

// IsUpgrade reports whether a client wants another protocol than HTTP on its connection.
func IsUpgrade(r *http.Request) bool {
	return hasToken(r.Header, "Connection", "upgrade") && r.Header.Get("Upgrade") != ""
}

func isWebSocket(r *http.Request) bool { return hasToken(r.Header, "Upgrade", "websocket") }

// ProtocolError says that a client speaks nothing that is spoken here. Nothing was answered yet.
type ProtocolError struct{ message string }

func (e *ProtocolError) Error() string { return e.message }

// choose is the first protocol that a client offers and that is spoken here.
func choose(offered, spoken []string) (string, error) {
	for _, protocol := range offered {
		if slices.Contains(spoken, protocol) {
			return protocol, nil
		}
	}
	return "", &ProtocolError{fmt.Sprintf("unable to negotiate protocol: client supports %q, server accepts %q", offered, spoken)}
}

// tokens are the elements of all headers of a name.
func tokens(h http.Header, name string) (all []string) {
	for _, line := range h.Values(name) {
		for token := range strings.SplitSeq(line, ",") {
			if token = strings.TrimSpace(token); token != "" {
				all = append(all, token)
			}
		}
	}
	return all
}

func hasToken(h http.Header, name, token string) bool {
	return slices.ContainsFunc(tokens(h, name), func(t string) bool { return strings.EqualFold(t, token) })
}

// readSize is how much is read of a connection at once.
const readSize = 32 << 10

// upgradedConn is a connection that speaks another protocol now.
type upgradedConn struct {
	net.Conn
	in *bufio.Reader // begins with what HTTP has read ahead
}

// Read implements [io.Reader].
func (c upgradedConn) Read(p []byte) (int, error) { return c.in.Read(p) }

// upgrade answers that the protocol changes, as the header says, and takes over the connection.
func upgrade(w http.ResponseWriter, header http.Header) (upgradedConn, error) {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return upgradedConn{}, &ProtocolError{"the connection cannot be upgraded: use HTTP/1.1"}
	}
	header.Set("Connection", "Upgrade")
	answer := http.Response{StatusCode: http.StatusSwitchingProtocols, ProtoMajor: 1, ProtoMinor: 1, Header: header}
	var text bytes.Buffer
	_ = answer.Write(&text) // a buffer has no errors
	if _, err := conn.Write(text.Bytes()); err != nil {
		return upgradedConn{}, fmt.Errorf("cannot upgrade the connection: %w", withClose(err, conn))
	}
	// The server's own reader would end the context of the request when the client is gone, which
	// is for whoever reads to say.
	ahead, _ := buffered.Reader.Peek(buffered.Reader.Buffered()) // it is there
	in := io.MultiReader(bytes.NewReader(bytes.Clone(ahead)), conn)
	return upgradedConn{conn, bufio.NewReaderSize(in, readSize)}, nil
}

func withClose(err error, conn net.Conn) error {
	_ = conn.Close() // the error says enough
	return err
}
