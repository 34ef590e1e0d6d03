package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/probity-run/probity/probe"
)

const probeHelp = `Run one attempt of a probe, with the kubelet's wire format, limits, outcomes and words.

Exit codes: 0 the probe succeeded (or only warned), 1 it failed or could not be evaluated, 2 wrong arguments. Each of these commands can
be an exec probe itself, in an image without a shell.`

func newProbe(streams Streams) *cobra.Command {
	cmd := &cobra.Command{Use: "probe", Short: "Run one probe by hand, or as an exec probe inside a container", Long: probeHelp}
	cmd.AddCommand(newProbeHTTP(streams), newProbeTCP(streams), newProbeGRPC(streams), newProbeExec(streams), newProbeHeartbeat(streams))
	return cmd
}

// attempt runs a prober once, prints its result in the kubelet's words and makes the exit code of
// it.
func attempt(ctx context.Context, streams Streams, p probe.Prober) error {
	began := time.Now()
	result := p.Probe(ctx)
	if _, err := fmt.Fprintf(streams.Out, "probe %s (%v)\n", result, time.Since(began).Round(time.Microsecond)); err != nil {
		return err
	}
	if result.Err == nil && (result.Outcome == probe.Success || result.Outcome == probe.Warning) {
		return nil
	}
	return failed(nil)
}

func timeoutFlag(cmd *cobra.Command, timeout *time.Duration) {
	cmd.Flags().DurationVar(timeout, "timeout", probe.DefaultTimeout, "time for the whole attempt (timeoutSeconds)")
}

func newProbeHTTP(streams Streams) *cobra.Command {
	var get probe.HTTPGet
	var headers []string
	cmd := &cobra.Command{
		Use:     "http URL",
		Short:   "GET a URL: 200-399 is healthy (httpGet)",
		Example: "  probity probe http http://127.0.0.1:8080/ready --header 'Host: shop.example'",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := setURL(&get, args[0]); err != nil {
				return err
			}
			for _, h := range headers {
				name, value, ok := strings.Cut(h, ":")
				if !ok {
					return fmt.Errorf("cannot read header %q: write it as 'Name: value'", h)
				}
				get.Headers = append(get.Headers, probe.Header{Name: strings.TrimSpace(name), Value: strings.TrimSpace(value)})
			}
			return attempt(cmd.Context(), streams, get)
		},
	}
	timeoutFlag(cmd, &get.Timeout)
	cmd.Flags().StringArrayVarP(&headers, "header", "H", nil, "a header as 'Name: value'; may be repeated")
	return cmd
}

// setURL fills in what the parts of a URL are in an httpGet handler.
func setURL(get *probe.HTTPGet, text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return fmt.Errorf("cannot probe %q: write a URL such as http://127.0.0.1:8080/ready", text)
	}
	get.Scheme, get.Host = u.Scheme, u.Hostname()
	get.Port = map[string]int{"http": 80, "https": 443}[u.Scheme]
	if u.Port() != "" {
		if get.Port, err = strconv.Atoi(u.Port()); err != nil {
			return fmt.Errorf("cannot probe %q: %w", text, err)
		}
	}
	get.Path = u.EscapedPath()
	if u.RawQuery != "" {
		get.Path += "?" + u.RawQuery
	}
	return nil
}

// hostPort takes "host:port" apart; a port alone means the loopback address.
func hostPort(text string) (host string, port int, err error) {
	number := text
	if strings.Contains(text, ":") {
		if host, number, err = net.SplitHostPort(text); err != nil {
			return "", 0, fmt.Errorf("cannot probe %q: write it as host:port", text)
		}
	}
	if port, err = strconv.Atoi(number); err != nil {
		return "", 0, fmt.Errorf("cannot probe %q: the port is not a number", text)
	}
	return host, port, nil
}

func newProbeTCP(streams Streams) *cobra.Command {
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:     "tcp [HOST:]PORT",
		Short:   "Connect and close: connected is healthy (tcpSocket)",
		Example: "  probity probe tcp 127.0.0.1:5432",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			host, port, err := hostPort(args[0])
			if err != nil {
				return err
			}
			return attempt(cmd.Context(), streams, probe.TCPSocket{Host: host, Port: port, Timeout: timeout})
		},
	}
	timeoutFlag(cmd, &timeout)
	return cmd
}

func newProbeGRPC(streams Streams) *cobra.Command {
	var timeout time.Duration
	var service string
	cmd := &cobra.Command{
		Use:     "grpc [HOST:]PORT",
		Short:   "Ask grpc.health.v1.Health/Check: SERVING is healthy (grpc)",
		Example: "  probity probe grpc 127.0.0.1:9000 --service shop.v1.Cart",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			host, port, err := hostPort(args[0])
			if err != nil {
				return err
			}
			return attempt(cmd.Context(), streams, probe.GRPC{Host: host, Port: port, Service: service, Timeout: timeout})
		},
	}
	timeoutFlag(cmd, &timeout)
	cmd.Flags().StringVar(&service, "service", "", "the service to ask for; empty means the server as a whole")
	return cmd
}

func newProbeExec(streams Streams) *cobra.Command {
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:     "exec -- COMMAND [ARG]...",
		Short:   "Run a command without a shell: exit code 0 is healthy (exec)",
		Example: "  probity probe exec --timeout 2s -- pg_isready -h 127.0.0.1",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return attempt(cmd.Context(), streams, probe.Exec{Command: args, Timeout: timeout})
		},
	}
	timeoutFlag(cmd, &timeout)
	return cmd
}

func newProbeHeartbeat(streams Streams) *cobra.Command {
	var maxAge time.Duration
	cmd := &cobra.Command{
		Use:   "heartbeat FILE --max-age DURATION",
		Short: "Look at a file's time stamp: young enough is healthy",
		Long: `Look at the time at which a file was last written. A service without a web interface touches such a file whenever it
has made progress; if the file grows old, the service has stopped working.`,
		Example: "  probity probe heartbeat /run/worker/heartbeat --max-age 10s",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if maxAge <= 0 {
				return errors.New("cannot judge a heartbeat without a limit: give --max-age, for example --max-age 10s")
			}
			return attempt(cmd.Context(), streams, probe.Heartbeat{File: args[0], MaxAge: maxAge})
		},
	}
	cmd.Flags().DurationVar(&maxAge, "max-age", 0, "how old the file may be; required")
	return cmd
}
