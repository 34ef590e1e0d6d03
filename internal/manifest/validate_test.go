package manifest

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	c  = "spec.containers[0]"
	lp = c + ".livenessProbe"
	rp = c + ".readinessProbe"
	sp = c + ".startupProbe"
)

// Every row of section L of the conformance cases: the errors in full, and the line of the first.
func TestInvalid(t *testing.T) {
	const (
		inRange = "must be between 1 and 65535, inclusive"
		charset = "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
		letter  = "must contain at least one letter (a-z)"
		header  = "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')"
		atLeast = "must be greater than or equal to 0"
		second  = "Forbidden: may not specify more than 1 handler type"
	)
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"L01 empty probe", pod("livenessProbe: {} # want"), []string{lp + ": Required value: must specify a handler type"}},
		{"L01 only numbers", pod("livenessProbe: # want\n  periodSeconds: 3"), []string{lp + ": Required value: must specify a handler type"}},
		{"L02 two handlers", pod("livenessProbe:\n  exec: {command: [a]}\n  httpGet: {port: 80} # want"), []string{lp + ".httpGet: " + second}},
		{"L03 three handlers", pod("livenessProbe:\n  httpGet: {port: 80}\n  tcpSocket: {port: 80} # want\n  grpc: {port: 80}"),
			[]string{lp + ".tcpSocket: " + second, lp + ".grpc: " + second}},
		{"L04 no command", pod("livenessProbe:\n  exec: {} # want"), []string{lp + ".exec.command: Required value"}},
		{"L04 empty command", pod("livenessProbe:\n  exec:\n    command: [] # want"), []string{lp + ".exec.command: Required value"}},
		{"L05 no port", pod("livenessProbe:\n  httpGet: {path: /} # want"), []string{lp + ".httpGet.port: Invalid value: 0: " + inRange}},
		{"L05 port 0", pod("livenessProbe:\n  httpGet:\n    port: 0 # want"), []string{lp + ".httpGet.port: Invalid value: 0: " + inRange}},
		{"L06 port 65536", pod("livenessProbe:\n  tcpSocket:\n    port: 65536 # want"), []string{lp + ".tcpSocket.port: Invalid value: 65536: " + inRange}},
		{"L06 port -1", pod("livenessProbe:\n  tcpSocket: {port: -1} # want"), []string{lp + ".tcpSocket.port: Invalid value: -1: " + inRange}},
		{"L07 quoted number", pod("livenessProbe:\n  httpGet:\n    port: \"8080\" # want"), []string{lp + `.httpGet.port: Invalid value: "8080": ` + letter}},
		{"L09 capital letter", pod("livenessProbe:\n  httpGet:\n    port: Web # want"), []string{lp + `.httpGet.port: Invalid value: "Web": ` + charset}},
		{"L09 capital letters", pod("livenessProbe:\n  httpGet:\n    port: WEB # want"),
			[]string{lp + `.httpGet.port: Invalid value: "WEB": ` + letter, lp + `.httpGet.port: Invalid value: "WEB": ` + charset}},
		{"L10 two hyphens", pod("livenessProbe:\n  httpGet: {port: a--b} # want"), []string{lp + `.httpGet.port: Invalid value: "a--b": must not contain consecutive hyphens`}},
		{"L10 first hyphen", pod("livenessProbe:\n  httpGet: {port: -a} # want"), []string{lp + `.httpGet.port: Invalid value: "-a": must not begin or end with a hyphen`}},
		{"L10 last hyphen", pod("livenessProbe:\n  httpGet: {port: a-} # want"), []string{lp + `.httpGet.port: Invalid value: "a-": must not begin or end with a hyphen`}},
		{"L11 long port name", pod("livenessProbe:\n  httpGet: {port: abcdefghijklmnop} # want"), []string{lp + `.httpGet.port: Invalid value: "abcdefghijklmnop": must be no more than 15 characters`}},
		{"L12 grpc without port", pod("livenessProbe:\n  grpc: {service: a} # want"), []string{lp + ".grpc.port: Invalid value: 0: " + inRange}},
		{"L13 grpc port name", pod("livenessProbe:\n  grpc:\n    port: web # want"), []string{lp + `.grpc.port: cannot use string "web" as integer`}},
		{"L14 scheme in lower case", pod("livenessProbe:\n  httpGet:\n    port: 80\n    scheme: http # want"), []string{lp + `.httpGet.scheme: Unsupported value: "http": supported values: "HTTP", "HTTPS"`}},
		{"L14 other scheme", pod("livenessProbe:\n  httpGet: {port: 80, scheme: ftp} # want"), []string{lp + `.httpGet.scheme: Unsupported value: "ftp": supported values: "HTTP", "HTTPS"`}},
		{"L15 header with underscore", pod("livenessProbe:\n  httpGet:\n    port: 80\n    httpHeaders: # want\n    - {name: X_Y, value: a}"), []string{lp + `.httpGet.httpHeaders: Invalid value: "X_Y": ` + header}},
		{"L15 header without name", pod("livenessProbe:\n  httpGet:\n    port: 80\n    httpHeaders: [{value: a}] # want"), []string{lp + `.httpGet.httpHeaders: Invalid value: "": ` + header}},
		{"L15 header with space", pod("livenessProbe:\n  httpGet:\n    port: 80\n    httpHeaders: [{name: X Y, value: a}] # want"), []string{lp + `.httpGet.httpHeaders: Invalid value: "X Y": ` + header}},
		{"L16 negative numbers", pod("livenessProbe:\n  tcpSocket: {port: 80}\n  periodSeconds: -1 # want\n  timeoutSeconds: -1\n  initialDelaySeconds: -1\n  failureThreshold: -1"), []string{
			lp + ".periodSeconds: Invalid value: -1: " + atLeast, lp + ".timeoutSeconds: Invalid value: -1: " + atLeast,
			lp + ".initialDelaySeconds: Invalid value: -1: " + atLeast, lp + ".failureThreshold: Invalid value: -1: " + atLeast}},
		{"L16 negative readiness successes", pod("readinessProbe:\n  tcpSocket: {port: 80}\n  successThreshold: -1 # want"), []string{rp + ".successThreshold: Invalid value: -1: " + atLeast}},
		{"L17 liveness successes", pod("livenessProbe:\n  tcpSocket: {port: 80}\n  successThreshold: 2 # want"), []string{lp + ".successThreshold: Invalid value: 2: must be 1"}},
		{"L18 startup successes", pod("startupProbe:\n  tcpSocket: {port: 80}\n  successThreshold: 2 # want"), []string{sp + ".successThreshold: Invalid value: 2: must be 1"}},
		{"L19 negative liveness successes", pod("livenessProbe:\n  tcpSocket: {port: 80}\n  successThreshold: -1 # want"),
			[]string{lp + ".successThreshold: Invalid value: -1: must be 1", lp + ".successThreshold: Invalid value: -1: " + atLeast}},
		{"L20 probe grace 0", pod("livenessProbe:\n  tcpSocket: {port: 80}\n  terminationGracePeriodSeconds: 0 # want"), []string{lp + ".terminationGracePeriodSeconds: Invalid value: 0: must be greater than 0"}},
		{"L20 probe grace -5", pod("livenessProbe:\n  tcpSocket: {port: 80}\n  terminationGracePeriodSeconds: -5 # want"), []string{lp + ".terminationGracePeriodSeconds: Invalid value: -5: must be greater than 0"}},
		{"L21 readiness grace", pod("readinessProbe:\n  tcpSocket: {port: 80}\n  terminationGracePeriodSeconds: 10 # want"), []string{rp + ".terminationGracePeriodSeconds: Invalid value: 10: must not be set for readinessProbes"}},
		{"R188 sleep beyond grace", pod("lifecycle:\n  preStop:\n    sleep: {seconds: 31} # want"), []string{c + ".lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)"}},
		{"L24 empty hook", pod("lifecycle:\n  preStop: {} # want"), []string{c + ".lifecycle.preStop: Required value: must specify a handler type"}},
		{"L25 probe on an init container", pod("") + "\n  initContainers:\n  - name: init\n    image: a\n    livenessProbe: {tcpSocket: {port: 1}} # want\n",
			[]string{"spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always"}},
		{"L26 restart policy", pod("") + "\n  restartPolicy: Sometimes # want\n", []string{`spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"`}},
		{"L27 container name twice", pod("") + "\n  - name: app # want\n    image: a\n", []string{`spec.containers[1].name: Duplicate value: "app"`}},
		{"L27 port name twice", pod("ports:\n- {name: web, containerPort: 1}\n- {name: web, containerPort: 2} # want"), []string{c + `.ports[1].name: Duplicate value: "web"`}},
		{"L28 port without number", pod("ports:\n- name: web # want"), []string{c + ".ports[0].containerPort: Required value"}},
		{"L29 readiness gate", pod("") + "\n  readinessGates:\n  - conditionType: bad gate # want\n", []string{`spec.readinessGates[0].conditionType: Invalid value: "bad gate": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`}},
		{"L30 all together", pod("livenessProbe:\n  httpGet: {path: /} # want\n  periodSeconds: -1\n  successThreshold: 2"), []string{
			lp + ".httpGet.port: Invalid value: 0: " + inRange, lp + ".periodSeconds: Invalid value: -1: " + atLeast, lp + ".successThreshold: Invalid value: 2: must be 1"}},
		{"L31 nothing may move", deployment("strategy:\n  rollingUpdate:\n    maxSurge: 0\n    maxUnavailable: 0 # want"), []string{"spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0"}},
		{"L31 in percent", deployment("strategy:\n  rollingUpdate:\n    maxSurge: 0%\n    maxUnavailable: 0% # want"), []string{"spec.strategy.rollingUpdate.maxUnavailable: Invalid value: \"0%\": may not be 0 when `maxSurge` is 0"}},
		{"L32 more than all", deployment("strategy: {rollingUpdate: {maxUnavailable: 110%}} # want"), []string{`spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "110%": must not be greater than 100%`}},
		{"L32 far more than all", deployment("strategy: {rollingUpdate: {maxUnavailable: 99999999999999999999%}} # want"), []string{`spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "99999999999999999999%": must not be greater than 100%`}},
		{"R207 not a percentage", deployment("strategy: {rollingUpdate: {maxSurge: half}} # want"), []string{`spec.strategy.rollingUpdate.maxSurge: Invalid value: "half": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')`}},
		{"L34 recreate with numbers", deployment("strategy:\n  type: Recreate\n  rollingUpdate: {maxSurge: 1} # want"), []string{"spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"}},
		{"L35 deadline before ready", deployment("minReadySeconds: 5\nprogressDeadlineSeconds: 5 # want"), []string{"spec.progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds"}},
		{"L35 default deadline", deployment("minReadySeconds: 700"), []string{"spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds"}},
		{"L36 template restart policy", deployment("") + "      restartPolicy: Never # want\n", []string{`spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"`}},
	} {
		t.Run(tt.name, func(t *testing.T) { checkInvalid(t, tt.text, tt.want) })
	}
}

// The rules around the probes.
func TestInvalidObjects(t *testing.T) {
	const (
		service  = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n"
		selector = "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: web}\nspec:\n"
		template = "  template:\n    metadata: {labels: {app: web}}\n    spec: {containers: [{name: app, image: a}]}\n"
		label    = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
		// of names that may have dots
		subdomain = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
	)
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"no name", "apiVersion: v1 # want\nkind: ConfigMap", []string{"metadata.name: Required value: name or generateName is required"}},
		{"container name", pod("")[:strings.Index(pod(""), "app\n")] + "App # want\n    image: a\n", []string{c + `.name: Invalid value: "App": ` + label}},
		{"no containers", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: # want\n  restartPolicy: Never", []string{"spec.containers: Required value"}},
		{"no image", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - name: app # want\n    command: [a]", []string{c + ".image: Required value"}},
		{"init and app of one name", pod("") + "\n  initContainers:\n  - name: app # want\n    image: a\n", []string{`spec.initContainers[0].name: Duplicate value: "app"`}},
		{"label", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  labels: {a: -} # want", []string{`metadata.labels: Invalid value: "-": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`}},
		{"protocol", pod("ports:\n- containerPort: 1\n  protocol: tcp # want"), []string{c + `.ports[0].protocol: Unsupported value: "tcp": supported values: "SCTP", "TCP", "UDP"`}},
		{"env without name", pod("env:\n- value: a # want"), []string{c + ".env[0].name: Required value"}},
		{"env with two values", pod("env:\n- name: A\n  value: b\n  valueFrom: {fieldRef: {fieldPath: metadata.name}} # want"), []string{c + `.env[0].valueFrom: Invalid value: "": may not be specified when ` + "`value` is not empty"}},
		{"env from nowhere", pod("env:\n- name: A\n  valueFrom: {} # want"), []string{c + `.env[0].valueFrom: Invalid value: "": must specify one of: ` + "`fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"}},
		{"env from two", pod("env:\n- name: A\n  valueFrom: # want\n    fieldRef: {fieldPath: metadata.name}\n    secretKeyRef: {name: a, key: b}"), []string{c + `.env[0].valueFrom: Invalid value: "": may not have more than one field specified at a time`}},
		{"env from no key", pod("env:\n- name: A\n  valueFrom:\n    secretKeyRef: {name: a} # want"), []string{c + ".env[0].valueFrom.secretKeyRef.key: Required value"}},
		{"env from unknown field", pod("env:\n- name: A\n  valueFrom: {fieldRef: {fieldPath: spec.x}} # want"), []string{c + `.env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "spec.x": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"`}},
		{"envFrom nothing", pod("envFrom: # want\n- prefix: A"), []string{c + `.envFrom: Invalid value: "": must specify one of: ` + "`configMapRef` or `secretRef`"}},
		{"mount of no volume", pod("volumeMounts:\n- {name: data, mountPath: /data} # want"), []string{c + `.volumeMounts[0].name: Not found: "data"`}},
		{"mount path twice", pod("volumeMounts:\n- {name: a, mountPath: /a}\n- {name: a, mountPath: /a} # want") + "\n  volumes: [{name: a}]\n", []string{c + `.volumeMounts[1].mountPath: Invalid value: "/a": must be unique`}},
		{"volume twice", pod("") + "\n  volumes:\n  - name: a\n  - name: a # want\n", []string{`spec.volumes[1].name: Duplicate value: "a"`}},
		{"volume of two kinds", pod("") + "\n  volumes:\n  - name: a\n    emptyDir: {}\n    configMap: {name: b} # want\n", []string{"spec.volumes[0].configMap: Forbidden: may not specify more than 1 volume type"}},
		{"volume mode", pod("") + "\n  volumes:\n  - name: a\n    secret: {secretName: b, defaultMode: 1000} # want\n", []string{"spec.volumes[0].secret.defaultMode: Invalid value: 1000: must be a number between 0 and 0777 (octal), both inclusive"}},
		{"volume escapes", pod("") + "\n  volumes:\n  - name: a\n    configMap: {name: b, items: [{key: k, path: ../x}]} # want\n", []string{`spec.volumes[0].configMap.items[0].path: Invalid value: "../x": must not contain '..'`}},
		{"request above limit", pod("resources:\n  requests: {cpu: 2} # want\n  limits: {cpu: 500m}"), []string{c + `.resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 500m`}},
		{"unknown resource", pod("resources:\n  requests: {cpus: 2} # want"), []string{c + `.resources.requests[cpus]: Invalid value: "cpus": must be a standard resource for containers`, c + `.resources.requests[cpus]: Invalid value: "cpus": must be a standard resource type or fully qualified`}},
		{"host port", pod("ports: [{containerPort: 80, hostPort: 81}] # want") + "\n  hostNetwork: true\n", []string{c + ".ports[0].hostPort: Invalid value: 81: must match `containerPort` when `hostNetwork` is true"}},
		{"R125 rules without policy", pod("restartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: [1]}}]"), []string{c + ".restartPolicy: Required value: must specify restartPolicy when restart rules are used"}},
		{"R125 rule without codes", pod("restartPolicy: Never\nrestartPolicyRules: [{action: Stop}] # want"), []string{
			c + `.restartPolicyRules[0].exitCodes: Required value: must be specified`, c + `.restartPolicyRules[0].action: Unsupported value: "Stop": supported values: "Restart", "RestartAllContainers"`}},
		{"R125 container policy", pod("restartPolicy: Sometimes # want"), []string{c + `.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "Never", "OnFailure"`}},
		{"deadline in template", deployment("") + "      activeDeadlineSeconds: 5 # want\n", []string{"spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported"}},
		{"ephemeral container", pod("") + "\n  ephemeralContainers: [{name: e, image: a}] # want\n", []string{"spec.ephemeralContainers: Forbidden: cannot be set on create"}},
		{"ephemeral container in template", deployment("") + "      ephemeralContainers: [{name: e, image: a}] # want\n", []string{"spec.template.spec.ephemeralContainers: Forbidden: ephemeral containers not allowed in pod template"}},
		{"no selector", selector + template, []string{"spec.selector: Required value"}},
		{"empty selector", selector + "  selector: {} # want\n" + template, []string{"spec.selector: Invalid value: {}: empty selector is invalid for deployment"}},
		{"other selector", selector + "  selector: {matchLabels: {app: api}}\n" + strings.Replace(template, "web}}", "web}} # want", 1), []string{"spec.template.metadata.labels: Invalid value: {\"app\":\"web\"}: `selector` does not match template `labels`"}},
		{"negative replicas", deployment("replicas: -1 # want"), []string{"spec.replicas: Invalid value: -1: must be greater than or equal to 0"}},
		{"strategy", deployment("strategy: {type: BlueGreen} # want"), []string{`spec.strategy.type: Unsupported value: "BlueGreen": supported values: "Recreate", "RollingUpdate"`}},
		{"stateful strategy", "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: a}\nspec:\n  podManagementPolicy: Any # want\n  selector: {matchLabels: {app: web}}\n" + template, []string{`spec.podManagementPolicy: Invalid value: "Any": must be 'OrderedReady' or 'Parallel'`}},
		{"stateful history", "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: a}\nspec:\n  revisionHistoryLimit: -1 # want\n  selector: {matchLabels: {app: web}}\n" + template, []string{"spec.revisionHistoryLimit: Invalid value: -1: must be greater than or equal to 0"}},
		{"stateful start", "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: a}\nspec:\n  ordinals: {start: -1} # want\n  selector: {matchLabels: {app: web}}\n" + template, []string{"spec.ordinals.start: Invalid value: -1: must be greater than or equal to 0"}},
		{"service name", strings.Replace(service, "{name: web}", "{name: a.b} # want", 1) + "  ports: [{port: 80}]", []string{`metadata.name: Invalid value: "a.b": must not contain dots`}},
		{"stateful name", "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: a.b} # want\nspec:\n  selector: {matchLabels: {app: web}}\n" + template, []string{`metadata.name: Invalid value: "a.b": must not contain dots`}},
		{"stateful service", "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: a}\nspec:\n  serviceName: -a # want\n  selector: {matchLabels: {app: web}}\n" + template, []string{`spec.serviceName: Invalid value: "-a": ` + label}},
		{"names that a template left", pod("") + "\n  priorityClassName: ${CLASS} # want\n", []string{`spec.priorityClassName: Invalid value: "${CLASS}": ` + subdomain}},
		{"node name", pod("") + "\n  nodeName: A # want\n", []string{`spec.nodeName: Invalid value: "A": ` + subdomain}},
		{"runtime class", pod("") + "\n  runtimeClassName: A # want\n", []string{`spec.runtimeClassName: Invalid value: "A": ` + subdomain}},
		{"host name of its own", pod("") + "\n  hostnameOverride: A # want\n", []string{`spec.hostnameOverride: Invalid value: "A": ` + subdomain}},
		{"two host names", pod("") + "\n  setHostnameAsFQDN: true\n  hostnameOverride: a # want\n", []string{"spec.hostnameOverride: Forbidden: may not be specified when setHostnameAsFQDN is true"}},
		{"no DNS and no servers", pod("") + "\n  dnsPolicy: None\n  dnsConfig: {searches: [a]} # want\n", []string{"spec.dnsConfig.nameservers: Required value: must provide at least one DNS nameserver when `dnsPolicy` is None"}},
		{"external name with an address", service + "  type: ExternalName\n  externalName: a.example\n  clusterIP: None\n", []string{"spec.clusterIPs: Forbidden: may not be set for ExternalName services"}},
		{"ranges of no balancer", service + "  ports: [{port: 80}]\n  loadBalancerSourceRanges: [10.0.0.0/8]", []string{"spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'"}},
		{"policy for the outside", service + "  ports: [{port: 80}]\n  externalTrafficPolicy: Local # want", []string{`spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services`}},
		{"policy", service + "  type: NodePort\n  ports: [{port: 80}]\n  externalTrafficPolicy: local # want", []string{`spec.externalTrafficPolicy: Unsupported value: "local": supported values: "Cluster", "Local"`}},
		{"policy for the inside", service + "  ports: [{port: 80}]\n  internalTrafficPolicy: local # want", []string{`spec.internalTrafficPolicy: Unsupported value: "local": supported values: "Cluster", "Local"`}},
		{"service without ports", service + "  selector: {app: web}", []string{"spec.ports: Required value"}},
		{"service ports without names", service + "  ports:\n  - port: 80 # want\n  - {port: 81, name: b}", []string{"spec.ports[0].name: Required value"}},
		{"service port twice", service + "  ports:\n  - {port: 80, name: a}\n  - {port: 80, name: b} # want", []string{`spec.ports[1]: Duplicate value: {"protocol":"TCP","port":80,"targetPort":0}`}},
		{"service port name twice", service + "  ports:\n  - {port: 80, name: a}\n  - {port: 81, name: a} # want", []string{`spec.ports[1].name: Duplicate value: "a"`}},
		{"service port number", service + "  ports: [{port: 0}] # want", []string{"spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive", "spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive"}},
		{"service type", service + "  type: Local # want\n  ports: [{port: 80}]", []string{`spec.type: Unsupported value: "Local": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"`}},
		{"affinity timeout", service + "  sessionAffinity: ClientIP\n  sessionAffinityConfig: {clientIP: {timeoutSeconds: 0}} # want\n  ports: [{port: 80}]", []string{"spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 0: must be greater than 0 and less than 86400"}},
		{"config key", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  a/b: c # want", []string{`data[a/b]: Invalid value: "a/b": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')`}},
		{"tls secret", "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ntype: kubernetes.io/tls\nstringData: {tls.crt: a}", []string{"data[tls.key]: Required value"}},
		{"command of no container", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  annotations:\n    probity.run/command.ap: go run . # want\nspec: {containers: [{name: app, image: a}]}", []string{`metadata.annotations[probity.run/command.ap]: Invalid value: "ap": there is no such container, did you mean probity.run/command.app?`}},
		{"command with an open quote", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  annotations:\n    probity.run/command.app: go run 'x # want\nspec: {containers: [{name: app, image: a}]}", []string{`metadata.annotations[probity.run/command.app]: Invalid value: "go run 'x": a quote is not closed`}},
		{"deadlock of no container", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  annotations:\n    probity.run/drill.deadlock.ap: kill -USR1 $PID # want\nspec: {containers: [{name: app, image: a}]}", []string{`metadata.annotations[probity.run/drill.deadlock.ap]: Invalid value: "ap": there is no such container, did you mean probity.run/drill.deadlock.app?`}},
		{"deadlock without a command", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  annotations:\n    probity.run/drill.deadlock.app: '' # want\nspec: {containers: [{name: app, image: a}]}", []string{`metadata.annotations[probity.run/drill.deadlock.app]: Required value: a command for a shell, such as kill -USR1 $PID`}},
		{"dependency", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  annotations: {probity.run/dependency.db: mine} # want\nspec: {containers: [{name: app, image: a}]}", []string{`metadata.annotations[probity.run/dependency.db]: Unsupported value: "mine": supported values: "owned"`}},
		{"drain", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  annotations: {probity.run/drain: 5} # want\nspec: {containers: [{name: app, image: a}]}", []string{`metadata.annotations[probity.run/drain]: cannot use integer 5 as string (put it in quotes)`}},
		{"drain without unit", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  annotations: {probity.run/drain: '5'} # want\nspec: {containers: [{name: app, image: a}]}", []string{`metadata.annotations[probity.run/drain]: Invalid value: "5": must be a time such as 5s, 500ms or 1m30s, and not negative`}},
	} {
		t.Run(tt.name, func(t *testing.T) { checkInvalid(t, tt.text, tt.want) })
	}
}

// checkInvalid compares the errors without regard to order, and the first line with the mark.
func checkInvalid(t *testing.T, text string, want []string) {
	t.Helper()
	set, err := loadText(Options{}, "app.yaml", []byte(text))
	got := messages(t, err)
	if diff := cmp.Diff(slices.Sorted(slices.Values(want)), slices.Sorted(slices.Values(got))); diff != "" {
		t.Fatalf("errors (-want +got):\n%s", diff)
	}
	if len(set.Objects) > 0 {
		t.Errorf("objects = %d beside an error in the only one, want 0", len(set.Objects))
	}
	list, _ := errors.AsType[Errors](err)
	if line := wantLine(text); line > 0 && list[0].Line != line {
		t.Errorf("line = %d, want %d: %v", list[0].Line, line, err)
	}
	if !strings.HasPrefix(list[0].Error(), "app.yaml:"+list[0].Position.String()[len("app.yaml:"):]+": ") || list[0].Column == 0 {
		t.Errorf("error %q does not begin with file:line:column", list[0])
	}
}

func TestErrorText(t *testing.T) {
	_, err := loadText(Options{}, "k8s/app.yaml", []byte(deployment("replicas: 1")+"      restartPolicy: Never\n"))
	want := `k8s/app.yaml:11:22: Deployment web: spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"`
	if err == nil || err.Error() != want {
		t.Errorf("error\n got %v\nwant %v", err, want)
	}
}

// Section M, and R188: equal is allowed.
func TestValid(t *testing.T) {
	for name, text := range map[string]string{
		"M01 extreme numbers":       pod("livenessProbe:\n  tcpSocket: {port: 80}\n  periodSeconds: 1\n  timeoutSeconds: 9\n  initialDelaySeconds: 0\n  failureThreshold: 2147483647"),
		"M02 readiness successes":   pod("readinessProbe:\n  tcpSocket: {port: 80}\n  successThreshold: 5"),
		"M04 probe grace":           pod("livenessProbe:\n  tcpSocket: {port: 80}\n  terminationGracePeriodSeconds: 300"),
		"M06 headers":               pod("livenessProbe:\n  httpGet:\n    port: 80\n    httpHeaders: [{name: A, value: ''}, {name: A, value: b}, {name: a, value: c}]"),
		"M07 tcpSocket hook":        pod("lifecycle: {preStop: {tcpSocket: {port: 80}}}"),
		"M08 pod grace 0":           pod("") + "\n  terminationGracePeriodSeconds: 0\n",
		"M09 exec":                  pod("livenessProbe: {exec: {command: [sh, -c, exit 0]}}"),
		"M09 empty words":           pod("livenessProbe: {exec: {command: ['', '']}}"),
		"M10 startup alone":         pod("startupProbe: {grpc: {port: 80}}"),
		"M11 sidecar":               pod("") + "\n  initContainers:\n  - name: side\n    image: a\n    restartPolicy: Always\n    lifecycle: {preStop: {sleep: {seconds: 30}}}\n    livenessProbe: {tcpSocket: {port: 1}}\n    readinessProbe: {tcpSocket: {port: 1}}\n    startupProbe: {tcpSocket: {port: 1}}\n",
		"R125 rules":                pod("restartPolicy: Never\nrestartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: [42]}}]"),
		"undeclared port name":      pod("livenessProbe: {tcpSocket: {port: nope}}"),
		"labels as env":             pod("env: [{name: A, valueFrom: {fieldRef: {fieldPath: \"metadata.labels['app']\"}}}]"),
		"env name with a dot":       pod("env: [{name: a.b-c, value: d}]"),
		"generateName":              "apiVersion: v1\nkind: Pod\nmetadata: {generateName: web-}\nspec: {containers: [{name: a, image: b}]}",
		"headless without ports":    "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {clusterIP: None, selector: {a: b}}",
		"service with a digit":      "apiVersion: v1\nkind: Service\nmetadata: {name: 1web}\nspec: {ports: [{port: 80}]}",
		"outside by an address":     "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 80}], externalIPs: [192.0.2.1], externalTrafficPolicy: Local}",
		"host names of ordinals":    "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: a}\nspec:\n  selector: {matchLabels: {a: b}}\n  template:\n    metadata: {labels: {a: b}}\n    spec: {hostname: Web, subdomain: A.b, containers: [{name: a, image: b}]}",
		"claims are volumes":        "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: a}\nspec:\n  selector: {matchLabels: {a: b}}\n  template:\n    metadata: {labels: {a: b}}\n    spec: {containers: [{name: a, image: b, volumeMounts: [{name: data, mountPath: /d}]}]}\n  volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce]}}]",
		"template with bare image":  strings.Replace(deployment(""), `"app:1"`, `" app:1"`, 1),
		"old fields of the server":  "apiVersion: v1\nkind: Pod\nmetadata: {name: a, uid: b, resourceVersion: '1', creationTimestamp: '2024-01-01T00:00:00Z', managedFields: [{manager: x, fieldsV1: {'f:a': {}}}]}\nspec: {containers: [{name: a, image: b}]}\nstatus: {phase: Running}",
		"command annotation":        "apiVersion: v1\nkind: Pod\nmetadata: {name: a, annotations: {probity.run/command.a: go run ., probity.run/ports: fixed, probity.run/drain: 5s}}\nspec: {containers: [{name: a, image: b}]}",
		"numbers as floats":         pod("livenessProbe: {tcpSocket: {port: 80.0}, periodSeconds: 5.0, timeoutSeconds: 1e0}"),
		"quantities of every style": pod("resources: {limits: {cpu: 0.5, memory: 1Gi, example.com/gpu: '1'}, requests: {cpu: 250m, memory: 1e6}}"),
	} {
		t.Run(name, func(t *testing.T) { load(t, text) })
	}
}
