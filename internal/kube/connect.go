package kube

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	_ "k8s.io/client-go/plugin/pkg/client/auth/oidc" // users of kubeconfigs that still have it
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/printable"
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
	// Server is the URL of the API server, without a password.
	Server string
	// Namespace is that of objects which name none; it is never "".
	Namespace string
	// Kubeconfig is the path of the file that was named; "" if none was.
	Kubeconfig string
}

// Kubectl is how kubectl asks the same cluster, from whatever folder: a context of the same name in
// another kubeconfig may be another cluster.
func (c *Cluster) Kubectl() string {
	words := "kubectl"
	if c.Kubeconfig != "" {
		path, err := filepath.Abs(c.Kubeconfig)
		if err != nil {
			path = c.Kubeconfig // as it was named
		}
		words += " --kubeconfig " + printable.Shell(path)
	}
	if c.Context != "" {
		words += " --context " + printable.Shell(c.Context)
	}
	return words
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
		return nil, fmt.Errorf("cannot read the kubeconfig: %s", oneLine(err.Error()))
	}
	if err := checkContext(&raw, config.Context); err != nil {
		return nil, unusable(err)
	}
	transport, err := loader.ClientConfig()
	if clientcmd.IsEmptyConfig(err) {
		return nil, noKubeconfig(rules)
	}
	if err != nil {
		return nil, unusable(err)
	}
	namespace, _, err := loader.Namespace()
	if err != nil {
		return nil, unusable(err)
	}
	client, server, err := open(transport)
	if err != nil {
		return nil, err
	}
	return &Cluster{client, cmp.Or(config.Context, raw.CurrentContext), server, namespace, config.Kubeconfig}, nil
}

// unusable is the error of a kubeconfig that does not lead to a server, on one line.
func unusable(err error) error {
	return fmt.Errorf("cannot use the kubeconfig: %s", oneLine(err.Error()))
}

// checkContext refuses a context that is not there, and none where there are several.
func checkContext(raw *api.Config, name string) error {
	names := slices.Sorted(maps.Keys(raw.Contexts))
	wanted := cmp.Or(name, raw.CurrentContext)
	switch {
	case wanted == "" && len(names) > 0:
		return fmt.Errorf("it has no current context: name one with --context; there are %s", printable.Line(strings.Join(names, ", ")))
	case wanted == "" || raw.Contexts[wanted] != nil:
		return nil
	}
	text := fmt.Sprintf("context %s does not exist", printable.Quote(wanted))
	switch guess := manifest.Closest(wanted, names); {
	case guess != "":
		text += fmt.Sprintf(", did you mean %s?", printable.Line(guess))
	case len(names) > 0:
		text += "; there are " + printable.Line(strings.Join(names, ", "))
	}
	return errors.New(text)
}

// noKubeconfig says where a kubeconfig was looked for.
func noKubeconfig(rules *clientcmd.ClientConfigLoadingRules) error {
	if rules.ExplicitPath != "" {
		return fmt.Errorf("%w (read: %s, which --kubeconfig names)", ErrNoKubeconfig, rules.ExplicitPath)
	}
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
		return nil, "", unusable(err)
	}
	config = rest.CopyConfig(config)
	config.NextProtos = []string{"http/1.1"}
	upgrades, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, "", unusable(err)
	}
	address, _, err := rest.DefaultServerUrlFor(config)
	if err != nil {
		return nil, "", unusable(fmt.Errorf("its server is no URL: %w", err))
	}
	server := strings.TrimSuffix(address.String(), "/")
	// no time limit of their own: a watch lasts, and so does a command
	return &Client{
		http:     &http.Client{Transport: transport.Transport, CheckRedirect: stay},
		upgrades: &http.Client{Transport: upgrades.Transport, CheckRedirect: stay},
		url:      server,
		shown:    redacted(server),
	}, redacted(server), nil
}

// redacted is a URL without the password that it may have.
func redacted(server string) string {
	u, err := url.Parse(server)
	if err != nil || u.User == nil {
		return server
	}
	return u.Redacted()
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
