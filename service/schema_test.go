package service_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/probity-run/probity/internal/formats/truefoundry"
	"github.com/probity-run/probity/service"
)

// typesOf are the types of this package by the objects of the format that they are.
func typesOf() map[string]any {
	return map[string]any{
		"service": service.Service{}, "port": service.Port{}, "probe": service.HealthProbe{}, "resources": service.Resources{},
		"basic_auth": service.BasicAuth{}, "jwt_auth": service.JWTAuth{}, "truefoundry_oauth": service.TrueFoundryOAuth{},
		"autoscaling": service.ServiceAutoscaling{}, "cpu_utilization": service.CPUUtilizationMetric{}, "rps": service.RPSMetric{}, "cron": service.CronMetric{},
		"auto_shutdown": service.AutoShutdown{},
		"http":          service.HttpProbe{}, "tcp": service.TcpProbe{}, "command": service.CommandProbe{}, "grpc": service.GrpcProbe{},
		"image": service.Image{}, "build": service.Build{}, "local": service.LocalSource{}, "git": service.GitSource{}, "remote": service.RemoteSource{},
		"dockerfile": service.DockerFileBuild{}, "tfy-python-buildpack": service.PythonBuild{},
		"node_selector": service.NodeSelector{}, "nodepool_selector": service.NodepoolSelector{}, "nvidia_gpu": service.NvidiaGPU{},
		"nvidia_mig_gpu": service.OtherDevice{}, "nvidia_timeslicing_gpu": service.OtherDevice{}, "aws_inferentia": service.OtherDevice{}, "gcp_tpu": service.OtherDevice{},
		"rolling_update": service.Rolling{}, "canary": service.Canary{}, "canary_step": service.CanaryStep{}, "blue_green": service.BlueGreen{},
		"secret": service.SecretMount{}, "string": service.StringDataMount{}, "volume_mount": service.VolumeMount{},
	}
}

// Other spellings of what has a type, and documents that are no services.
var withoutType = []string{"exec", "rolling", "application-set", "volume", "dynamic", "static"}

// The types of this package have the fields that a file may have, and no others.
func TestTypesAreThoseOfFiles(t *testing.T) {
	described := truefoundry.Describe()
	types := typesOf()
	for name, fields := range described {
		value, ok := types[name]
		if !ok {
			if !slices.Contains(withoutType, name) {
				t.Errorf("%s has no type", name)
			}
			continue
		}
		var want, got []string
		for _, f := range fields {
			if other := name == "autoscaling" && (f.Name == "min" || f.Name == "max"); f.Name != "type" && !other {
				want = append(want, f.Name)
			}
		}
		for f := range reflect.TypeOf(value).Fields() {
			if tag, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); tag != "type" {
				got = append(got, tag)
			}
		}
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -file +type:\n%s", name, diff)
		}
	}
	for name := range types {
		if _, ok := described[name]; !ok {
			t.Errorf("no file has %s", name)
		}
	}
}

// Where a file may have one of several objects, so may a type, and it writes which one it is.
func TestChoicesAreThoseOfFiles(t *testing.T) {
	described := truefoundry.Describe()
	types := typesOf()
	for name, fields := range described {
		value, ok := types[name]
		if !ok {
			continue
		}
		for _, f := range fields {
			for _, of := range f.Of {
				choice, ok := types[of]
				if !ok {
					continue
				}
				field := fieldOf(t, value, f.Name)
				if field.Kind() == reflect.Slice {
					field = field.Elem()
				}
				if field.Kind() == reflect.Pointer {
					field = field.Elem()
				}
				if !reflect.TypeOf(choice).AssignableTo(field) {
					t.Errorf("%s.%s may be a %s in a file, and %v takes no %T", name, f.Name, of, field, choice)
				}
			}
		}
	}
}

func fieldOf(t *testing.T, value any, name string) reflect.Type {
	t.Helper()
	for f := range reflect.TypeOf(value).Fields() {
		if tag, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); tag == name {
			return f.Type
		}
	}
	t.Fatalf("%T has no %s", value, name)
	return nil
}

// full is a service in which every field has a value.
func full() service.Service {
	return service.Service{
		Name: "web", WorkspaceFQN: "cluster:shop", ServiceAccount: "reader", AllowInterception: true,
		Image: service.Build{
			DockerRegistry: "r", BuildSource: service.LocalSource{ProjectRootPath: "./app", LocalBuild: new(true)},
			BuildSpec: service.DockerFileBuild{DockerfilePath: "Dockerfile", BuildContextPath: "web", Command: []string{"./web", "-v"}, BuildArgs: map[string]string{"A": "b"}, BuildSecrets: []any{map[string]any{"id": "x"}}},
		},
		Ports: []service.Port{
			{Port: 8000, Protocol: "TCP", AppProtocol: "http", Expose: new(true), Host: "h", Path: "/p/", RewritePathTo: "/", Auth: service.BasicAuth{Username: "u", Password: "p"}},
			{Port: 9000, AppProtocol: "grpc", Auth: service.JWTAuth{IntegrationFQN: "i", EnableLogin: true, Claims: map[string]any{"a": "b"}, BypassAuthPaths: []string{"/x"}}},
			{Port: 9001, Auth: service.TrueFoundryOAuth{BypassAuthPaths: []string{"/x"}}},
		},
		Replicas: service.ServiceAutoscaling{MinReplicas: 2, MaxReplicas: 4, PollingInterval: 30, Metrics: service.CronMetric{DesiredReplicas: 3, Start: "0 8 * * *", End: "0 9 * * *", Timezone: "UTC"}},
		Resources: &service.Resources{CPURequest: 0.5, CPULimit: 1, MemoryRequest: 100, MemoryLimit: 200, EphemeralStorageRequest: 10, EphemeralStorageLimit: 20, SharedMemorySize: 64,
			Node: service.NodeSelector{InstanceFamilies: []string{"m5"}, CapacityType: "spot"}, Devices: []service.Device{service.NvidiaGPU{Name: "T4", Count: 1}, service.OtherDevice{Type: "gcp_tpu", Name: "v5", Count: 1, TPUType: "t", Topology: "2x2", Profile: "p", NodePool: "n"}}},
		Env:             map[string]string{"A": "$(B)", "B": "8080", "C": "tfy-secret://tenant:group:key"},
		LivenessProbe:   &service.HealthProbe{Config: service.HttpProbe{Path: "/livez", Port: 8000, Host: "127.0.0.1", Scheme: "HTTPS"}, InitialDelaySeconds: 1, PeriodSeconds: 2, TimeoutSeconds: 3, SuccessThreshold: 1, FailureThreshold: 4},
		ReadinessProbe:  &service.HealthProbe{Config: service.GrpcProbe{Port: 9000, Service: "shop"}, SuccessThreshold: 3},
		StartupProbe:    &service.HealthProbe{Config: service.CommandProbe{Command: []string{"./check"}}},
		RolloutStrategy: service.Rolling{MaxUnavailablePercentage: new(0), MaxSurgePercentage: new(50)},
		Mounts:          []service.Mount{service.SecretMount{MountPath: "/s", SecretFQN: "tfy-secret://t:g:k"}, service.StringDataMount{MountPath: "/c", Data: "a: b"}, service.VolumeMount{MountPath: "/d", SubPath: "s", VolumeFQN: "tfy-volume://c:w:data"}},
		Labels:          map[string]string{"team": "shop"}, AutoShutdown: &service.AutoShutdown{WaitTime: 900}, ArtifactsDownload: map[string]any{"artifacts": []any{}}, Kustomize: map[string]any{"patch": map[string]any{}},
	}
}

// What the types can say, a file can.
func TestEveryFieldIsRead(t *testing.T) {
	variants := map[string]func(*service.Service){
		"as it is": func(*service.Service) {},
		"an image": func(s *service.Service) {
			s.Image = service.Image{ImageURI: "web:1", DockerRegistry: "r", Command: []string{"./web"}}
		},
		"Python from git": func(s *service.Service) {
			s.Image = service.Build{BuildSource: service.GitSource{RepoURL: "u", Ref: "r", BranchName: "b"}, BuildSpec: service.PythonBuild{Command: []string{"python", "main.py"}, BuildContextPath: "a",
				PythonVersion: "3.11", RequirementsPath: "r.txt", PipPackages: []string{"x"}, PythonDependencies: map[string]any{"type": "uv"}, AptPackages: []string{"git"}, CUDAVersion: "12"}}
		},
		"an archive": func(s *service.Service) {
			s.Image = service.Build{BuildSource: service.RemoteSource{RemoteURI: "u"}, BuildSpec: service.DockerFileBuild{}}
		},
		"a canary": func(s *service.Service) {
			s.RolloutStrategy = service.Canary{Steps: []service.CanaryStep{{WeightPercentage: 0, PauseDuration: 5}}}
			s.Replicas = service.ServiceAutoscaling{Metrics: service.RPSMetric{Value: 1.5}}
		},
		"blue and green": func(s *service.Service) {
			s.RolloutStrategy = service.BlueGreen{EnableAutoPromotion: true, AutoPromotionSeconds: 30}
			s.Replicas = service.ServiceAutoscaling{Metrics: service.CPUUtilizationMetric{Value: 50}}
			s.Resources.Node = service.NodepoolSelector{Nodepools: []string{"a"}}
		},
		"an empty file": func(s *service.Service) {
			s.Mounts = []service.Mount{service.StringDataMount{MountPath: "/empty"}}
		},
		"a fixed number": func(s *service.Service) {
			s.Replicas, s.StartupProbe = service.Count(0), &service.HealthProbe{Config: service.TcpProbe{Port: 8000}}
		},
	}
	for name, change := range variants {
		t.Run(name, func(t *testing.T) {
			s := full()
			change(&s)
			if _, err := s.Validate(); err != nil {
				t.Error(err)
			}
		})
	}
}
