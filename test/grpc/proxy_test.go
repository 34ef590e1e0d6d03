package grpc

import (
	"context"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/proxy"
	"github.com/probity-run/probity/internal/store"
)

// TestProxy calls a server of grpc-go through the proxy.
func TestProxy(t *testing.T) {
	for _, port := range []string{"grpc", "http"} {
		t.Run(port, func(t *testing.T) {
			server := grpc.NewServer()
			grpc_health_v1.RegisterHealthServer(server, health.NewServer())
			server.RegisterService(echo(), nil)
			replica := serveOn(t, server)
			objects := runProxy(t)
			conn, err := grpc.NewClient(addService(t, objects, port), grpc.WithTransportCredentials(insecure.NewCredentials()))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			ctx, cancel := context.WithTimeout(t.Context(), ample)
			defer cancel()
			client := grpc_health_v1.NewHealthClient(conn)
			_, err = client.Check(ctx, &grpc_health_v1.HealthCheckRequest{})
			if status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), "no replica is ready") || !strings.Contains(err.Error(), "app=api") {
				t.Errorf("without endpoints: %v", err)
			}

			addEndpoint(t, objects, port, replica)
			answer, err := client.Check(ctx, &grpc_health_v1.HealthCheckRequest{})
			for status.Code(err) == codes.Unavailable { // the proxy does not know the endpoint yet
				answer, err = client.Check(ctx, &grpc_health_v1.HealthCheckRequest{})
			}
			if err != nil || answer.Status != serving {
				t.Errorf("unary: %v %v", answer, err)
			}
			if _, err := client.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: "x"}); status.Code(err) != codes.NotFound {
				t.Errorf("an error in trailers only: %v", err)
			}
			checkStream(ctx, t, conn)
		})
	}
}

// echo answers each string in capitals.
func echo() *grpc.ServiceDesc {
	return &grpc.ServiceDesc{ServiceName: "test.Echo", HandlerType: (*any)(nil), Streams: []grpc.StreamDesc{{
		StreamName: "Echo", ServerStreams: true, ClientStreams: true,
		Handler: func(_ any, stream grpc.ServerStream) error {
			for {
				var m wrapperspb.StringValue
				if err := stream.RecvMsg(&m); err == io.EOF {
					return status.Error(codes.DataLoss, "that was all")
				} else if err != nil {
					return err
				}
				m.Value = strings.ToUpper(m.Value)
				if err := stream.SendMsg(&m); err != nil {
					return err
				}
			}
		},
	}}}
}

// checkStream sends and receives in turn over one stream.
func checkStream(ctx context.Context, t *testing.T, conn *grpc.ClientConn) {
	t.Helper()
	stream, err := conn.NewStream(ctx, &echo().Streams[0], "/test.Echo/Echo")
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"one", "two", "three"} {
		var m wrapperspb.StringValue
		if err := stream.SendMsg(wrapperspb.String(word)); err != nil {
			t.Fatal(err)
		}
		if err := stream.RecvMsg(&m); err != nil || m.Value != strings.ToUpper(word) {
			t.Fatalf("%q %v", m.Value, err)
		}
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if err := stream.RecvMsg(&wrapperspb.StringValue{}); status.Code(err) != codes.DataLoss {
		t.Errorf("end of the stream: %v", err)
	}
}

// runProxy runs a proxy until the end of the test, and returns the store that it serves.
func runProxy(t *testing.T) *store.Store {
	t.Helper()
	objects := store.New(store.Options{Kinds: store.Kubernetes()})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	p := proxy.New(proxy.Options{Store: objects, DrainTimeout: 2 * time.Second})
	go func() { ended <- p.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run = %v", err)
		}
	})
	return objects
}

// addService makes a Service with one port of that name, and returns the address that it is served
// at.
func addService(t *testing.T, objects *store.Store, port string) string {
	t.Helper()
	listener := listen(t)
	number := listener.Addr().(*net.TCPAddr).Port
	listener.Close()
	s := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "api"},
		Spec: corev1.ServiceSpec{
			Selector: map[string]string{"app": "api"},
			Ports:    []corev1.ServicePort{{Name: port, Port: int32(number), Protocol: corev1.ProtocolTCP}},
		},
	}
	if _, err := store.Create(objects, s); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(ample); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		s, err := store.Get[*corev1.Service](objects, "default", "api")
		if err != nil {
			t.Fatal(err)
		}
		if address := s.Annotations[manifest.AnnotationAddress+strconv.Itoa(number)]; address != "" {
			return address
		}
	}
	t.Fatal("the Service has no address")
	return ""
}

// addEndpoint makes the Service's only endpoint.
func addEndpoint(t *testing.T, objects *store.Store, port string, number int) {
	t.Helper()
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Namespace: "default", Name: "api-0", Labels: map[string]string{discoveryv1.LabelServiceName: "api"}},
		AddressType: discoveryv1.AddressTypeIPv4,
		Endpoints: []discoveryv1.Endpoint{{
			Addresses:  []string{host},
			Conditions: discoveryv1.EndpointConditions{Ready: new(true), Serving: new(true), Terminating: new(false)},
			TargetRef:  &corev1.ObjectReference{Kind: "Pod", Namespace: "default", Name: "a", UID: "a"},
		}},
		Ports: []discoveryv1.EndpointPort{{Name: &port, Port: new(int32(number)), Protocol: new(corev1.ProtocolTCP)}},
	}
	if _, err := store.Create(objects, slice); err != nil {
		t.Fatal(err)
	}
}
