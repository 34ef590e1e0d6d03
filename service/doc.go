// Package service describes a service, its health probes above all, and brings it to a running
// Probity, to a Kubernetes cluster, or to a file of manifests. The vocabulary is that of
// TrueFoundry's SDK for Python, so that a deploy.py reads the same here:
//
//	svc := service.Service{
//		Name:  "my-service",
//		Image: service.Build{BuildSpec: service.DockerFileBuild{Command: []string{"./web"}}},
//		Ports: []service.Port{{Host: "your_host", Port: 8501}},
//		LivenessProbe: &service.HealthProbe{
//			Config:           service.HttpProbe{Path: "/livez", Port: 8501},
//			PeriodSeconds:    10,
//			TimeoutSeconds:   1,
//			SuccessThreshold: 1,
//			FailureThreshold: 3,
//		},
//		ReadinessProbe: &service.HealthProbe{
//			Config:        service.HttpProbe{Path: "/readyz", Port: 8501},
//			PeriodSeconds: 5,
//		},
//	}
//	deployment, err := svc.Deploy(ctx, service.Target{})
//
// A zero number means the default that the field's comment names. What a service becomes in
// Kubernetes, and what of it has no meaning there, is told by docs/truefoundry.md; the
// same goes for a file in YAML, and testdata/cases is a table of both. Values of this package do
// not change by themselves: any number of goroutines may read them.
package service
