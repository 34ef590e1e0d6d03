package compose

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"go.yaml.in/yaml/v3"

	"github.com/probity-run/probity/internal/formats/compose"
)

// TestRefused: what compose-go takes, Probity takes, and it refuses what compose-go refuses. What
// Docker refuses only when it starts a container is not among the fields: Probity refuses that.
func TestRefused(t *testing.T) {
	files := fields()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		file := filepath.Join(t.TempDir(), "compose.yaml")
		text := "services:\n  db: {image: x}\n  web: {image: x, " + files[name] + "}\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var root yaml.Node
		if err := yaml.Unmarshal([]byte(text), &root); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		_, problems := compose.Read(root.Content[0], compose.Options{File: file, ReadFile: os.ReadFile})
		opts, err := cli.NewProjectOptions([]string{file}, cli.WithName("refused"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := opts.LoadProject(context.Background()); (err != nil) != (len(problems) > 0) {
			t.Errorf("%s: Probity %v; compose-go %v", files[name], problems, err)
		}
	}
}

// fields are fields of a service, by what is special in them.
func fields() map[string]string {
	all := map[string]string{}
	for _, s := range []string{
		"restart: \"\"", "restart: []", "restart: \"no\"", "restart: \"on-failure:3\"",
		"stop_signal: \"\"", "user: \"\"", "hostname: \"\"", "working_dir: \"\"", "mem_limit: \"\"", "cpus: \"\"", "stop_grace_period: \"\"",
		"scale: \"\"", "command: \"\"", "entrypoint: \"\"", "network_mode: \"\"", "profiles: [\"\"]", "ports: [\"\"]",
		"healthcheck: {test: \"\"}", "healthcheck: {test: a, interval: \"\"}", "healthcheck: {test: a, retries: \"\"}", "healthcheck: {test: a, disable: \"\"}",
		"healthcheck: {test: []}",
		"deploy: {restart_policy: {condition: \"\"}}", "deploy: {update_config: {order: \"\"}}", "deploy: {mode: \"\"}", "deploy: {replicas: \"\"}",
		"depends_on: {db: {condition: \"\"}}", "depends_on: {db: {condition: service_started, required: \"\"}}", "env_file: \"\"", "build: \"\"",
		"ports: [\"80:80:80:80\"]", "ports: [\"hostname:80:80\"]", "ports: [\"127.0.0.1:80:80\"]", "ports: [\"[::1]:80:80\"]", "ports: [\"::1:80:80\"]",
		"ports: [\"127.0.0.1::80\"]", "ports: [\":80\"]", "ports: [\":80:80\"]", "ports: [\"127.0.0.1:80\"]", "ports: [\"[::1]:80\"]", "ports: [\"::80:80\"]", "ports: [\"80:\"]", "ports: [\"1.2.3:80:80\"]",
		"ports: [\"80:80:\"]", "ports: [\"80/\"]", "ports: [\"0:80\"]", "ports: [\"80-81:80\"]", "ports: [\"80-81:80-82\"]", "ports: [\"65536:80\"]", "ports: [\"80:80/http\"]",
		"ports: [\"[127.0.0.1]:80:80\"]", "ports: [\"fe80::1%eth0:80:80\"]",
		"ports: [{target: 80, host_ip: hostname}]", "ports: [{target: 80, host_ip: \"\"}]", "ports: [{target: 80, host_ip: \"::1\"}]", "ports: [{target: 80, host_ip: \"[::1]\"}]", "ports: [{target: 80, host_ip: 127.0.0.1}]",
		"command: [a, \"1.0\"]", "mem_limit: 1e9", "mem_limit: 0x100000", "cpus: 1e0", "scale: 1.0", "healthcheck: {test: a, retries: 1.0}",
		"extends: {service: db, x-a: b}", "x-a: b",
	} {
		all[s] = s
	}
	for _, name := range []string{"", "a b", "___", "A.b-c_d", "é", "a/b", "1"} { // of another service
		all["name "+name] = "command: a}\n  \"" + name + "\": {image: x"
	}
	return all
}
