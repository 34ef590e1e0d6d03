package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/kube/tunnel"
	"github.com/probity-run/probity/internal/terminal"
	"github.com/probity-run/probity/internal/workload"
)

const execHelp = `Run a command beside the program of a container: with its environment and its folder, as an exec probe runs. Of a Service or a workload it is the
first Pod that is ready. With -it it has a terminal of its own. It is killed with the connection, and with its container.

` + whichRun + `

` + onCluster + `

Exit codes: that of the command; 126 or 127 if it cannot be executed or is not there; 1 there is no such object, or it does not run; 2 bad input, or
no such run.`

// execFlags are the flags of exec.
type execFlags struct {
	target
	container string
	stdin     bool
	tty       bool
}

func newExec(streams Streams) *cobra.Command {
	var flags execFlags
	cmd := &cobra.Command{
		Use:     "exec NAME -- COMMAND...",
		Short:   "Run a command in a container",
		Long:    execHelp,
		Example: "  probity exec web -- env\n  probity exec -it web -- sh",
		RunE: func(cmd *cobra.Command, args []string) error {
			dash := cmd.ArgsLenAtDash()
			if dash < 1 || dash == len(args) {
				return errors.New("write it as probity exec NAME -- COMMAND")
			}
			return execute(cmd.Context(), streams, flags, args[:dash], args[dash:])
		},
	}
	flags.addCluster(cmd)
	f := cmd.Flags()
	f.StringVarP(&flags.container, "container", "c", "", "the container (default: the only one, or that of kubectl.kubernetes.io/default-container)")
	f.BoolVarP(&flags.stdin, "stdin", "i", false, "pass standard input on to the command")
	f.BoolVarP(&flags.tty, "tty", "t", false, "give the command a terminal")
	flags.completeNames(cmd)
	return cmd
}

// execute runs a command in a container of what the arguments name.
func execute(ctx context.Context, streams Streams, flags execFlags, args, command []string) error {
	s, objects, err := flags.openFor(ctx, streams, args)
	if err != nil {
		return err
	}
	defer s.client.Close()
	pod, err := s.servingPod(objects[0])
	if err != nil {
		return failed(err)
	}
	c := tunnel.Command{Container: flags.container, Argv: command, Stdout: streams.Out, Stderr: streams.Err}
	if flags.stdin {
		c.Stdin = streams.In
	}
	if flags.tty {
		restore, err := takeTerminal(streams, &c)
		if err != nil {
			return badInput(err)
		}
		defer restore()
	}
	code, err := tunnel.Exec(ctx, s.client, kube.RefTo(pod), c)
	switch {
	case err != nil:
		return refused("run the command in", pod, kube.AwayNode(pod, err))
	case code != 0:
		return &exitError{code, nil}
	}
	return nil
}

// servingPod is the Pod that an object stands for where one is enough: the first that is ready,
// else the first that runs.
func (s *session) servingPod(o metav1.Object) (*corev1.Pod, error) {
	pods := s.PodsOf(o)
	for _, wanted := range []func(*corev1.Pod) bool{
		func(pod *corev1.Pod) bool {
			_, ready := workload.ReadySince(pod)
			return ready && pod.DeletionTimestamp == nil
		},
		func(pod *corev1.Pod) bool { return pod.Status.Phase == corev1.PodRunning },
	} {
		if i := slices.IndexFunc(pods, wanted); i >= 0 {
			return pods[i], nil
		}
	}
	if len(pods) == 0 {
		return nil, fmt.Errorf("%s has no Pods", kube.RefTo(o))
	}
	return nil, fmt.Errorf("no Pod of %s runs: %s says why", kube.RefTo(o), s.Command("describe"))
}

// takeTerminal has the terminal pass on every key, and what the command prints as it is: it is the
// user's own. The function gives the terminal back.
func takeTerminal(streams Streams, c *tunnel.Command) (restore func(), err error) {
	in, out := fileOf(streams.In), terminal.File(streams.Out)
	if out != nil {
		c.Stdout = out
	}
	c.Terminal = true
	if in == nil || c.Stdin == nil || !term.IsTerminal(int(in.Fd())) {
		return func() {}, nil // the command has one all the same
	}
	before, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return nil, fmt.Errorf("cannot use the terminal: %w", err)
	}
	changed := make(chan os.Signal, 1)
	signal.Notify(changed, syscall.SIGWINCH)
	sizes, stop := make(chan tunnel.Size), make(chan struct{})
	ended := make(chan struct{})
	c.Sizes = sizes
	go func() {
		defer close(ended)
		sendSizes(in, changed, sizes, stop)
	}()
	return func() {
		signal.Stop(changed)
		close(stop)
		<-ended
		_ = term.Restore(int(in.Fd()), before) // there is nobody to tell
	}, nil
}

// sendSizes gives the size of a terminal, at first and whenever it changes.
func sendSizes(of *os.File, changed <-chan os.Signal, sizes chan<- tunnel.Size, stop <-chan struct{}) {
	for {
		width, height, err := term.GetSize(int(of.Fd()))
		if err == nil {
			select {
			case sizes <- tunnel.Size{Width: uint16(width), Height: uint16(height)}:
			case <-stop:
				return
			}
		}
		select {
		case <-changed:
		case <-stop:
			return
		}
	}
}
