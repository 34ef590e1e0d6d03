package service_test

import (
	"errors"
	"testing"

	"github.com/probity-run/probity/service"
)

// other is a type that only looks like one of the package.
type other struct {
	service.HttpProbe
	retries int
}

// What a document cannot say is an error at its field, and is not left out.
func TestUnspeakable(t *testing.T) {
	circle := map[string]any{}
	circle["patch"], circle["additions"] = circle, []any{circle, circle}
	const nothing = "is nil: leave it out, or say what it is"
	for field, c := range map[string]struct {
		change func(s *service.Service)
		want   string
	}{
		"mounts[1]":             {func(s *service.Service) { s.Mounts = []service.Mount{service.StringDataMount{MountPath: "/a"}, nil} }, nothing},
		"mounts[0]":             {func(s *service.Service) { s.Mounts = []service.Mount{(*service.VolumeMount)(nil)} }, nothing},
		"resources.devices[0]":  {func(s *service.Service) { s.Resources = &service.Resources{Devices: []service.Device{nil}} }, nothing},
		"liveness_probe.config": {func(s *service.Service) { s.LivenessProbe.Config = other{retries: 3} }, "cannot use service_test.other: it is none of the types of package service"},
		"env.GREETING":          {func(s *service.Service) { s.Env = map[string]string{"GREETING": "\xff\xfe"} }, "is no text: it has bytes that are not UTF-8"},
		"env.?":                 {func(s *service.Service) { s.Env = map[string]string{"\xff": "a"} }, "is no text: it has bytes that are not UTF-8"},
		"kustomize":             {func(s *service.Service) { s.Kustomize = circle }, "is nested too deeply, or contains itself"},
	} {
		s := seed()
		c.change(&s)
		for what, err := range map[string]error{"YAML": second(s.YAML()), "Validate": second(s.Validate()), "Deploy": second(s.Deploy(t.Context(), service.Target{}))} {
			invalid, ok := errors.AsType[*service.InvalidError](err)
			if !ok || len(invalid.Fields) != 1 || invalid.Fields[0].Field != field || invalid.Fields[0].Message != c.want {
				t.Errorf("%s of %s: got %v, want %s", what, field, err, c.want)
			}
		}
	}
}

func second[T any](_ T, err error) error { return err }
