// Package gobuild is what programs of this repository are built with for others: an environment
// that changes nothing in them, and the terms on which what they consist of may be passed on.
// Releases and the site are made with it.
package gobuild

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
)

// Environment is the environment without what would change a program. For an empty variable the go
// command takes what "go env -w" has written for this user, so that file is left out; from where
// modules come and where they are kept is passed on, wherever it is set.
func Environment() ([]string, error) {
	out, err := exec.Command("go", "env", "-json", "GOPROXY", "GOSUMDB", "GOPRIVATE", "GONOPROXY", "GONOSUMDB", "GOINSECURE", "GOVCS", "GOAUTH",
		"GOPATH", "GOMODCACHE", "GOCACHE", "GOCACHEPROG", "GOTMPDIR", "GOTOOLCHAIN").Output()
	if err != nil {
		return nil, fmt.Errorf("cannot ask the go command for its settings: %w", err)
	}
	var kept map[string]string
	if err := json.Unmarshal(out, &kept); err != nil {
		return nil, fmt.Errorf("cannot read the settings of the go command: %w", err)
	}
	env := append(os.Environ(), "GOENV=off", "GOFLAGS=", "GOEXPERIMENT=", "GOFIPS140=off", "GOAMD64=v1", "GOARM64=v8.0", "GOWASM=")
	for name, value := range kept {
		env = append(env, name+"="+value)
	}
	return env, nil
}
