package service_test

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/probity-run/probity/service"
)

// A service as a document that TrueFoundry and probity read.
func ExampleService_YAML() {
	svc := service.Service{
		Name:  "my-service",
		Image: service.Image{ImageURI: "my-service:1", Command: []string{"./web"}},
		Ports: []service.Port{{Port: 8501}},
		ReadinessProbe: &service.HealthProbe{
			Config:        service.HttpProbe{Path: "/readyz", Port: 8501},
			PeriodSeconds: 5,
		},
	}
	text, err := svc.YAML()
	if err != nil {
		fmt.Println(err)
	}
	fmt.Print(string(text))
	// Output:
	// type: service
	// name: my-service
	// image:
	//   type: image
	//   image_uri: my-service:1
	//   command:
	//     - ./web
	// ports:
	//   - port: 8501
	// readiness_probe:
	//   config:
	//     type: http
	//     path: /readyz
	//     port: 8501
	//   period_seconds: 5
}

// What is wrong is told by the paths of fields, before anything is sent.
func ExampleService_Validate() {
	svc := service.Service{
		Name:          "my-service",
		Image:         service.Image{ImageURI: "my-service:1"},
		LivenessProbe: &service.HealthProbe{Config: service.HttpProbe{Path: "/livez", Port: 8501}, SuccessThreshold: 3},
	}
	_, err := svc.Validate()
	if field, ok := errors.AsType[*service.FieldError](err); ok {
		fmt.Println(field.Field)
	}
	// Output: liveness_probe.success_threshold
}

// The manifests of a service, for GitOps.
func ExampleService_Deploy() {
	svc := service.Service{Name: "worker", Image: service.Image{ImageURI: "worker:1"}, Replicas: service.Count(2), Resources: &service.Resources{CPULimit: 1}}
	deployment, err := svc.Deploy(context.Background(), service.Target{Writer: os.Stdout})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer deployment.Close()
	// Output:
	// apiVersion: apps/v1
	// kind: Deployment
	// metadata:
	//   labels:
	//     app: worker
	//   name: worker
	// spec:
	//   replicas: 2
	//   selector:
	//     matchLabels:
	//       app: worker
	//   template:
	//     metadata:
	//       labels:
	//         app: worker
	//     spec:
	//       containers:
	//       - image: worker:1
	//         name: worker
	//         resources:
	//           limits:
	//             cpu: "1"
	//             ephemeral-storage: 2000M
	//             memory: 500M
	//           requests:
	//             cpu: "0.2"
	//             ephemeral-storage: 1000M
	//             memory: 200M
}
