package scenario

import (
	"fmt"
	"strings"
)

const web = "\n---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}\n"

// endpoints are the cases of section O that need no traffic.
func endpoints() []Scenario {
	published := strings.Replace(web, "spec: {", "spec: {publishNotReadyAddresses: true, ", 1)
	end := func(at float64) []Step { return []Step{{At: seconds(at), Delete: "web"}} }
	return []Scenario{
		{ID: "O01", Title: "endpoints: unready, ready, unready, terminating", Length: seconds(20), Steps: end(13),
			Manifest: pod("terminationGracePeriodSeconds: 10\n", app("-term=0:5s -answers=/ready=503x5,200x4,503", ready(1))) + web},
		{ID: "O02", Title: "endpoints: terminating and still serving", Quick: true, Length: seconds(16), Steps: end(6),
			Manifest: pod("terminationGracePeriodSeconds: 10\n", app("-term=0:5s", ready(1))) + web},
		{ID: "O07", Title: "endpoints: publishNotReadyAddresses", Length: seconds(16), Steps: end(6),
			Manifest: pod("terminationGracePeriodSeconds: 10\n", app("-term=0:5s -answers=/ready=503", ready(1))) + published},
		{ID: "O08", Title: "endpoints: publishNotReadyAddresses, ready and terminating", Length: seconds(16), Steps: end(6),
			Manifest: pod("terminationGracePeriodSeconds: 10\n", app("-term=0:5s", ready(1))) + published},
		{ID: "O11", Title: "endpoints: a Pod that has ended is none", Decided: "a Pod that has ended is no endpoint any more at once; the cluster's controller notices when something else changes (R193)", Length: seconds(14),
			Manifest: pod("restartPolicy: Never\n", app("-life=5s:0", ready(1))) + web},
		{ID: "O12", Title: "endpoints: a crash is a gap", Starts: 2, Length: seconds(9),
			Manifest: pod("", app("-life=5s:1| -answers=/ready=200|/ready=503x4,200", ready(3))) + web},
		{ID: "O14", Title: "endpoints: two Pods, one of them unready", Starts: 2, Length: seconds(8),
			Manifest: named("one", "", app("", ready(1))) + "---\n" + named("two", "", app("-answers=/ready=503", ready(1))) + web},
	}
}

// deployment is a Deployment called web whose Pods have the container app; version makes one
// template differ from the next.
func deployment(version int, spec, args, fields string) string {
	return fmt.Sprintf(`apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
%s  template:
    metadata: {labels: {app: web}, annotations: {version: "%d"}}
    spec:
      terminationGracePeriodSeconds: 5
      containers:
%s`, lines(spec, "  "), version, lines(app(args, fields), "    "))
}

// rollouts are the cases of section P. Pods take a while to become ready, so that each step is
// seen.
func rollouts() []Scenario {
	late := ready(1, "initialDelaySeconds: 3")
	roll := func(id, title, spec string, starts int) Scenario {
		return Scenario{
			ID: id, Title: title, Starts: starts, Length: seconds(14), Manifest: deployment(1, spec, "", late) + web,
			Steps: []Step{{At: seconds(10), Apply: deployment(2, spec, "", late)}},
		}
	}
	stuck := deployment(2, "replicas: 2\nprogressDeadlineSeconds: 5\nstrategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}\n", "-answers=/ready=503", late)
	fine := "replicas: 2\nprogressDeadlineSeconds: 10\nstrategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}\n"
	return []Scenario{
		roll("P01", "rollout: one replica and the defaults", "replicas: 1\n", 2),
		roll("P02", "rollout: three replicas, surge 1, unavailable 0", "replicas: 3\nstrategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}\n", 6),
		roll("P03", "rollout: two replicas, surge 0, unavailable 1", "replicas: 2\nstrategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}\n", 4),
		roll("P08", "rollout: Recreate", "replicas: 2\nstrategy: {type: Recreate}\n", 4),
		roll("P05", "rollout: minReadySeconds", "replicas: 2\nminReadySeconds: 3\nstrategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}\n", 4),
		{ID: "P04", Title: "rollout: one that makes no progress, and is mended", Starts: 5, Length: seconds(14),
			Manifest: deployment(1, fine, "", late) + web,
			Steps:    []Step{{At: seconds(10), Apply: stuck}, {At: seconds(24), Apply: deployment(3, fine, "", late)}}},
		{ID: "P09", Title: "rollout: a finished one stays so when all Pods become unready", Starts: 2, Length: seconds(16),
			Manifest: deployment(1, "replicas: 2\n", "-answers=/ready=200x5,503", late) + web},
		{ID: "P15", Title: "rollout: scaled up and down", Starts: 3, Length: seconds(17),
			Manifest: deployment(1, "replicas: 1\n", "", late) + web,
			Steps:    []Step{{At: seconds(8), Apply: deployment(1, "replicas: 3\n", "", late)}, {At: seconds(17), Apply: deployment(1, "replicas: 1\n", "", late)}}},
	}
}
