package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// usage stands above the list of flags.
const usage = `Calculator answers computations over HTTP and keeps the results in a database.

  calculator [flags]                    serve /compute and /results, and the probes' /startupz, /readyz and /livez
  calculator -worker [flags]            compute a job every two seconds, and touch a heartbeat file after each
  calculator -lock-database 20s         keep everyone else from writing to the database for a while, to see what the probes say

Environment: PORT, DRAIN, HEARTBEAT_FILE and DATABASE_URL (a PostgreSQL URL; without it the database is a SQLite file in the data folder).

Flags:
`

// settings are what the command line and the environment say.
type settings struct {
	data        string        // folder of the weights and of the SQLite database
	dataGiven   bool          // the command line names that folder
	databaseURL string        // a PostgreSQL URL; empty means SQLite
	weightsSize byteSize      // of the weights file
	loadRate    byteSize      // bytes a second at which it is loaded; 0 means as fast as possible
	host        string        // address to listen on; empty means all
	port        string        // 0 means one that is free
	drain       time.Duration // time to go on serving, unready, after SIGTERM
	worker      bool          // work without a web interface
	heartbeat   string        // the file that the worker touches
	lock        time.Duration // lock the database that long instead of serving
	logLevel    slog.Level
}

// parse reads the command line and the environment. After -h it has printed the help and returns
// flag.ErrHelp.
func parse(args []string, getenv func(string) string, stderr io.Writer) (settings, error) {
	s := settings{databaseURL: getenv("DATABASE_URL"), weightsSize: 64 * mebibyte, loadRate: 20 * mebibyte}
	flags := flag.NewFlagSet("calculator", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&s.data, "data", "data", "`folder` of the weights and of the SQLite database")
	flags.Var(&s.weightsSize, "weights-size", "`size` of the weights file, such as 256MiB; another size makes a new file")
	flags.Var(&s.loadRate, "load-rate", "`rate` at which the weights are loaded, so that one can watch; 0 is as fast as possible")
	flags.StringVar(&s.host, "host", "", "`address` to listen on; all of them without it")
	flags.StringVar(&s.port, "port", cmp.Or(getenv("PORT"), "8080"), "`port` to listen on; PORT in the environment sets the default")
	drain, drainErr := time.ParseDuration(cmp.Or(getenv("DRAIN"), "0s"))
	flags.DurationVar(&s.drain, "drain", drain, "`time` to go on serving, unready, after SIGTERM: what a cluster's Services need to notice; DRAIN sets the default")
	flags.BoolVar(&s.worker, "worker", false, "work without a web interface")
	flags.StringVar(&s.heartbeat, "heartbeat", getenv("HEARTBEAT_FILE"), "`file` that the worker touches; HEARTBEAT_FILE sets the default, else it is heartbeat in the data folder")
	flags.DurationVar(&s.lock, "lock-database", 0, "lock the database for that `time`, then exit")
	flags.TextVar(&s.logLevel, "log-level", slog.LevelInfo, "least `level` to log: debug shows each request of a probe, then info, warn, error")
	err := flags.Parse(args)
	s.heartbeat = cmp.Or(s.heartbeat, filepath.Join(s.data, "heartbeat"))
	flags.Visit(func(f *flag.Flag) { s.dataGiven = s.dataGiven || f.Name == "data" })
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stderr, usage)
		flags.SetOutput(stderr)
		flags.PrintDefaults()
		return s, err
	}
	if err != nil {
		return s, fmt.Errorf("cannot read the command line, see -h: %w", err)
	}
	if drainErr != nil {
		return s, fmt.Errorf("cannot use DRAIN: %w", drainErr)
	}
	if err := s.check(flags.Args()); err != nil || s.lock == 0 {
		return s, err
	}
	return s.findDatabase()
}

// check refuses what cannot work, before anything is started.
func (s settings) check(rest []string) error {
	_, err := strconv.ParseUint(s.port, 10, 16)
	switch {
	case len(rest) > 0:
		return fmt.Errorf("cannot understand %q: there are flags only, see -h", rest[0])
	case err != nil:
		return fmt.Errorf("cannot listen on port %q: -port or PORT has to be a number from 0 to 65535", s.port)
	case s.weightsSize < 4096 || s.weightsSize%4 != 0:
		return fmt.Errorf("cannot use -weights-size %v: it has to be a multiple of 4 bytes, 4KiB or more", s.weightsSize)
	case s.drain < 0 || s.lock < 0:
		return errors.New("cannot use a negative time in -drain or -lock-database")
	}
	return nil
}

// findDatabase returns the settings with the data folder of the SQLite database that is to be
// locked: the one that is named, or that of the working directory, or that beside the program. It
// fails if there is none.
func (s settings) findDatabase() (settings, error) {
	if program, err := os.Executable(); err == nil && !s.dataGiven && !exists(sqliteFile(s.data)) {
		if beside := filepath.Join(filepath.Dir(program), "data"); exists(sqliteFile(beside)) {
			s.data = beside
		}
	}
	if s.databaseURL == "" && !exists(sqliteFile(s.data)) {
		return s, fmt.Errorf("cannot lock %s: there is no such database; start the calculator first, or name its folder with -data", sqliteFile(s.data))
	}
	return s, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
