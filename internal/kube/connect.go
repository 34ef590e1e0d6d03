package kube

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"

	_ "k8s.io/client-go/plugin/pkg/client/auth/oidc" // users of kubeconfigs that still have it
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Config says which cluster is meant, as kubectl's flags do. The zero value means what kubectl
// means without flags: $KUBECONFIG, else ~/.kube/config, else the cluster that this runs in.
type Config struct {
	// Kubeconfig is the path of one file; "" means the list in $KUBECONFIG.
	Kubeconfig string
	// Context is the name of a context of it; "" means the current one.
	Context string
	// Namespace is where objects are that name none; "" means that of the context.
	Namespace string
}

// Cluster is a client of a cluster, and how people call that.
type Cluster struct {
	*Client
	// Context is the name of the context in the kubeconfig; "" inside of a cluster.
	Context string
	// Server is the URL of the API server.
	Server string
	// Namespace is that of objects which name none; it is never "".
	Namespace string
}

// ErrNoKubeconfig says that nothing tells which cluster is meant.
var ErrNoKubeconfig = errors.New("no kubeconfig tells which cluster is meant: set $KUBECONFIG, or write ~/.kube/config")

// Connect makes a client of a cluster by kubectl's rules: contexts, client certificates, tokens,
// exec plugins, proxies, impersonation. It sends nothing: what does not answer, or a plugin that is
// missing, is an error of the first request. The caller closes the client.
func Connect(config Config) (*Cluster, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = config.Kubeconfig
	overrides := &clientcmd.ConfigOverrides{CurrentContext: config.Context}
	overrides.Context.Namespace = config.Namespace
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides)
	raw, err := loader.RawConfig()
	if err != nil {
		return nil, fmt.Errorf("cannot read the kubeconfig: %w", err)
	}
	transport, err := loader.ClientConfig()
	if clientcmd.IsEmptyConfig(err) {
		return nil, noKubeconfig(rules)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot use the kubeconfig: %w", err)
	}
	namespace, _, err := loader.Namespace()
	if err != nil {
		return nil, fmt.Errorf("cannot use the kubeconfig: %w", err)
	}
	client, server, err := open(transport)
	if err != nil {
		return nil, err
	}
	return &Cluster{client, cmp.Or(config.Context, raw.CurrentContext), server, namespace}, nil
}

// noKubeconfig says where a kubeconfig was looked for.
func noKubeconfig(rules *clientcmd.ClientConfigLoadingRules) error {
	if list := os.Getenv(clientcmd.RecommendedConfigPathEnvVar); list != "" {
		paths := strings.Join(filepath.SplitList(list), ", ")
		return fmt.Errorf("%w (read: %s, which $KUBECONFIG names)", ErrNoKubeconfig, paths)
	}
	return fmt.Errorf("%w (read: %s)", ErrNoKubeconfig, strings.Join(rules.GetLoadingPrecedence(), ", "))
}

// open makes the client that a configuration describes.
func open(config *rest.Config) (*Client, string, error) {
	if err := checkAuthProvider(config); err != nil {
		return nil, "", err
	}
	if config.UserAgent == "" {
		config.UserAgent = userAgent()
	}
	transport, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, "", fmt.Errorf("cannot use the kubeconfig: %w", err)
	}
	url, _, err := rest.DefaultServerUrlFor(config)
	if err != nil {
		return nil, "", fmt.Errorf("cannot use the kubeconfig: its server is no URL: %w", err)
	}
	server := strings.TrimSuffix(url.String(), "/")
	// no time limit of its own: a watch lasts
	return New(&http.Client{Transport: transport.Transport}, server), server, nil
}

// userAgent is what a cluster writes into its audit log of who asks.
func userAgent() string {
	name := "probity"
	if info, ok := debug.ReadBuildInfo(); ok && strings.HasPrefix(info.Main.Version, "v") {
		name += "/" + info.Main.Version
	}
	return fmt.Sprintf("%s (%s/%s)", name, runtime.GOOS, runtime.GOARCH)
}

// checkAuthProvider names what has replaced the providers that clients had inside once.
func checkAuthProvider(config *rest.Config) error {
	if config.AuthProvider == nil {
		return nil
	}
	plugins := map[string]string{
		"gcp":   "gke-gcloud-auth-plugin (then: gcloud container clusters get-credentials)",
		"azure": "kubelogin (then: kubelogin convert-kubeconfig)",
	}
	if plugin, ok := plugins[config.AuthProvider.Name]; ok {
		return fmt.Errorf("the kubeconfig uses the auth-provider %q, which Kubernetes has taken away: install the exec plugin %s", config.AuthProvider.Name, plugin)
	}
	return nil
}
