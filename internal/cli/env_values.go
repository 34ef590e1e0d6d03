package cli

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/probity-run/probity/internal/printable"
)

// envFlags are values that documents of other formats than Kubernetes' ask for.
type envFlags struct {
	values, files []string
}

func (e *envFlags) add(f *pflag.FlagSet) {
	f.StringArrayVar(&e.values, "env", nil, "value that a TrueFoundry or other document refers to, as NAME=value, or as NAME alone for that of this environment; may be repeated")
	f.StringArrayVar(&e.files, "env-file", nil, "file of such values, one NAME=value a line; may be repeated, and --env comes before it")
}

// read returns the values by their names. What a message quotes is a name, never a value.
func (e *envFlags) read() (map[string]string, error) {
	values := map[string]string{}
	for _, path := range e.files {
		if err := readEnvFile(path, values); err != nil {
			return nil, err
		}
	}
	for _, flag := range e.values {
		name, value, ok := strings.Cut(flag, "=")
		if !ok {
			value, ok = os.LookupEnv(name)
		}
		if !ok || name == "" {
			return nil, fmt.Errorf("cannot use --env %q: write it as NAME=value, or name a variable of this environment", name)
		}
		values[name] = value
	}
	return values, nil
}

// readEnvFile reads lines of NAME=value. Empty lines and those that begin with # say nothing;
// quotes around a whole value are taken off.
func readEnvFile(path string, values map[string]string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("cannot read --env-file: %w", err)
	}
	defer f.Close() // only read from: nothing to lose
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(strings.TrimPrefix(line, "export "), "=")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return fmt.Errorf("cannot read %s:%d: write it as NAME=value", printable.File(path), n)
		}
		value = strings.TrimSpace(value)
		if last := len(value) - 1; last > 0 && value[0] == value[last] && (value[0] == '"' || value[0] == '\'') {
			value = value[1:last]
		}
		values[name] = value
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("cannot read %s: %w", printable.File(path), err)
	}
	return nil
}
