package names

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestHostnameOf(t *testing.T) {
	long := strings.Repeat("x", 62)
	tests := []struct {
		name, pod string
		spec      corev1.PodSpec
		want      Hostname
		wantErr   string
	}{
		{name: "the Pod's name", pod: "web-1", want: Hostname{Name: "web-1", Kernel: "web-1"}},
		{name: "a name that is cut", pod: long + "-y", want: Hostname{Name: long, Kernel: long}},
		{name: "hostname", pod: "web-1", spec: corev1.PodSpec{Hostname: "web"}, want: Hostname{Name: "web", Kernel: "web"}},
		{name: "subdomain", pod: "web-1", spec: corev1.PodSpec{Hostname: "web", Subdomain: "sub"},
			want: Hostname{Name: "web", Domain: "sub.shop.svc.cluster.local", Kernel: "web"}},
		{name: "full name", pod: "web-1", spec: corev1.PodSpec{Subdomain: "sub", SetHostnameAsFQDN: new(true)},
			want: Hostname{Name: "web-1", Domain: "sub.shop.svc.cluster.local", Kernel: "web-1.sub.shop.svc.cluster.local"}},
		{name: "full name without a domain", pod: "web-1", spec: corev1.PodSpec{SetHostnameAsFQDN: new(true)}, want: Hostname{Name: "web-1", Kernel: "web-1"}},
		{name: "full name of 64", pod: strings.Repeat("x", 64-len(".sub.shop.svc.cluster.local")), spec: corev1.PodSpec{Subdomain: "sub", SetHostnameAsFQDN: new(true)},
			want: Hostname{Name: strings.Repeat("x", 37), Domain: "sub.shop.svc.cluster.local", Kernel: strings.Repeat("x", 37) + ".sub.shop.svc.cluster.local"}},
		{name: "full name of 65", pod: strings.Repeat("x", 38), spec: corev1.PodSpec{Subdomain: "sub", SetHostnameAsFQDN: new(true)},
			wantErr: "failed to construct FQDN from pod hostname and cluster domain, FQDN " + strings.Repeat("x", 38) +
				".sub.shop.svc.cluster.local is too long (64 characters is the max, 65 characters requested)"},
		{name: "override", pod: "web-1", spec: corev1.PodSpec{HostnameOverride: new("a.b.c"), Hostname: "web", Subdomain: "sub"}, want: Hostname{Name: "a.b.c", Kernel: "a.b.c"}},
		{name: "host network", pod: "web-1", spec: corev1.PodSpec{HostNetwork: true}, want: Hostname{Name: "laptop", Kernel: "laptop"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: tt.pod}, Spec: tt.spec}
			got, err := HostnameOf(pod, "laptop")
			if text := errorText(err); text != tt.wantErr || got != tt.want {
				t.Errorf("HostnameOf = %+v, %q, want %+v, %q", got, text, tt.want, tt.wantErr)
			}
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestWantsFile(t *testing.T) {
	for name, spec := range map[string]corev1.PodSpec{
		"hostname": {Hostname: "web"}, "subdomain": {Subdomain: "sub"}, "override": {HostnameOverride: new("a")},
		"aliases": {HostAliases: []corev1.HostAlias{{IP: "10.0.0.1"}}}, "full name": {SetHostnameAsFQDN: new(true)},
	} {
		if !WantsFile(&spec, false) {
			t.Errorf("%s is not a wish", name)
		}
	}
	plain, onHost := corev1.PodSpec{SetHostnameAsFQDN: new(false)}, corev1.PodSpec{HostNetwork: true}
	if WantsFile(&plain, false) || !WantsFile(&plain, true) || WantsFile(&onHost, true) {
		t.Error("a Pod that asks for nothing wants a file where there are Services, unless it is on the host's network")
	}
}
