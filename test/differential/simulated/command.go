package simulated

import (
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// serving is what the flags of "player serve" say, for all instances (the player's serve.go tells
// what they mean).
type serving struct {
	http, grpc        int
	answers, health   string
	delay, life, term string
	tcp               map[int]string // mode by port
}

func parseServing(args []string) (*serving, error) {
	s := &serving{tcp: map[int]string{}}
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.String("name", "app", "")
	flags.IntVar(&s.http, "http", 8080, "")
	flags.IntVar(&s.grpc, "grpc", 0, "")
	flags.StringVar(&s.answers, "answers", "", "")
	flags.StringVar(&s.health, "health", "SERVING", "")
	flags.StringVar(&s.delay, "delay", "0s", "")
	flags.StringVar(&s.life, "life", "", "")
	flags.StringVar(&s.term, "term", "0:0s", "")
	flags.Func("tcp", "", func(text string) error {
		port, mode, _ := strings.Cut(text, ":")
		n, err := strconv.Atoi(port)
		s.tcp[n] = mode
		return err
	})
	if err := flags.Parse(args); err != nil {
		return nil, fmt.Errorf("the player's flags have no translation: %w", err)
	}
	return s, nil
}

// ending reads "D:CODE".
func ending(text string) (after time.Duration, code int32, err error) {
	d, number, _ := strings.Cut(text, ":")
	if after, err = time.ParseDuration(d); err != nil {
		return 0, 0, err
	}
	n, err := strconv.ParseInt(number, 10, 32)
	return after, int32(n), err
}

// action is what "player do" does: an exec probe, a hook or an init container.
type action struct {
	name, script string
	args         []string // more of them, for the step args
}

func parseAction(command []string) (action, error) {
	if len(command) < 2 || command[0] != playerPath || command[1] != "do" {
		return action{}, fmt.Errorf("the command %q has no translation", command)
	}
	rest := command[2:]
	if len(rest) > 0 && strings.HasPrefix(rest[0], "-name=") {
		rest = rest[1:]
	}
	if len(rest) < 2 {
		return action{}, fmt.Errorf("the command %q says too little", command)
	}
	return action{rest[0], rest[1], rest[2:]}, nil
}

// done is how a step of an action ends.
type done struct {
	code        int32
	out, errors string
	after       time.Duration
}

// perform does the parts of a step: a code, print, eprint and sleep. What is about signals,
// descriptors and sizes has no translation.
func perform(step string) (d done, err error) {
	for part := range strings.SplitSeq(step, "+") {
		what, arg, _ := strings.Cut(part, ":")
		switch what {
		case "print":
			d.out += arg
		case "eprint":
			d.errors += arg
		case "sleep":
			after, err := time.ParseDuration(arg)
			if err != nil {
				return d, err
			}
			d.after += after
		default:
			n, err := strconv.ParseInt(what, 10, 32)
			if err != nil {
				return d, fmt.Errorf("the step %q has no translation", part)
			}
			d.code = int32(n)
		}
	}
	return d, nil
}
