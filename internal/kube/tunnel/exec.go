package tunnel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/kube"
)

// Channels of a WebSocket.
const (
	channelStdin  = 0
	channelStdout = 1
	channelStderr = 2
	channelStatus = 3
	channelSize   = 4
	channelClose  = 255 // ends the one whose number follows
)

// protocolExec is the one in which a client can end its standard input.
const protocolExec = "v5.channel.k8s.io"

// Size is that of a terminal, in characters.
type Size struct {
	Width  uint16 `json:"Width"`
	Height uint16 `json:"Height"`
}

// Command is what is to be run beside the program of a container.
type Command struct {
	// Container may be "" if the Pod has one alone, or says which is the default.
	Container string
	// Argv is the program and its arguments.
	Argv []string
	// Stdin is what the command reads; nil means nothing.
	Stdin io.Reader
	// Stdout and Stderr get what it prints. Required.
	Stdout, Stderr io.Writer
	// Terminal asks for a terminal, whose one output is Stdout.
	Terminal bool
	// Sizes has the size of the terminal, at first and whenever it changes; nil without one.
	Sizes <-chan Size
}

// Exec runs a command in a container of a Pod and returns its exit code. The error says that it
// could not be run, or that nobody knows how it has ended. When the context is done, the connection
// is given up, which kills the command.
func Exec(ctx context.Context, client *kube.Client, pod kube.Ref, c Command) (code int, err error) {
	query := url.Values{"command": c.Argv, "stdout": {"true"}, "stderr": {strconv.FormatBool(!c.Terminal)}}
	if c.Container != "" {
		query.Set("container", c.Container)
	}
	if c.Stdin != nil {
		query.Set("stdin", "true")
	}
	if c.Terminal {
		query.Set("tty", "true")
	}
	header, proof := offer(protocolExec)
	conn, answer, err := client.Upgrade(ctx, http.MethodGet, pod, "exec", query, header)
	if err != nil {
		return 0, err
	}
	socket, err := newWebSocket(conn, answer, protocolExec, proof)
	if err != nil {
		return 0, errors.Join(err, conn.Close())
	}
	defer context.AfterFunc(ctx, socket.close)()
	if c.Stdin != nil {
		go sendInput(socket, c.Stdin)
	}
	ctx, cancel := context.WithCancel(ctx)
	var sending sync.WaitGroup
	if c.Sizes != nil {
		sending.Go(func() { sendSizes(ctx, socket, c.Sizes) })
	}
	code, err = receive(socket, c)
	cancel()
	socket.close()
	sending.Wait()
	return code, err
}

// sendInput sends what a command is to read, to its end.
func sendInput(socket *webSocket, in io.Reader) {
	piece := make([]byte, 32<<10)
	for {
		n, err := in.Read(piece)
		if n > 0 && socket.write(frameBinary, []byte{channelStdin}, piece[:n]) != nil {
			return // the command has ended
		}
		if err != nil {
			_ = socket.write(frameBinary, []byte{channelClose, channelStdin}) // the same
			return
		}
	}
}

// sendSizes tells the command how large its terminal is.
func sendSizes(ctx context.Context, socket *webSocket, sizes <-chan Size) {
	for {
		select {
		case size, ok := <-sizes:
			text, err := json.Marshal(size)
			if !ok || err != nil || socket.write(frameBinary, []byte{channelSize}, text) != nil {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// receive passes on what the command prints, until it has ended.
func receive(socket *webSocket, c Command) (code int, err error) {
	for {
		message, err := socket.next()
		if errors.Is(err, io.EOF) {
			err = errors.New("the connection was closed before the command had ended")
		}
		if err != nil {
			return 0, err
		}
		if len(message) == 0 {
			continue
		}
		switch payload := message[1:]; message[0] {
		case channelStdout:
			_, err = c.Stdout.Write(payload)
		case channelStderr:
			_, err = c.Stderr.Write(payload)
		case channelStatus:
			return exitCode(payload)
		}
		if err != nil {
			return 0, err
		}
	}
}

// The reason and the cause with which a Status tells an exit code.
const (
	reasonExitCode = "NonZeroExitCode"
	causeExitCode  = "ExitCode"
)

// exitCode reads how a command has ended.
func exitCode(text []byte) (int, error) {
	var status metav1.Status
	if err := json.Unmarshal(text, &status); err != nil {
		return 0, fmt.Errorf("cannot read how the command has ended: %w", err)
	}
	if status.Status == metav1.StatusSuccess {
		return 0, nil
	}
	if status.Reason == reasonExitCode && status.Details != nil {
		for _, cause := range status.Details.Causes {
			if code, err := strconv.Atoi(cause.Message); err == nil && cause.Type == causeExitCode {
				return code, nil
			}
		}
	}
	return 0, errors.New(status.Message)
}
