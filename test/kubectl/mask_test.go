package kubectl

import "testing"

func TestMask(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"a table": {
			"NAME                   READY   STATUS    RESTARTS      AGE\nweb-7d9c5b8f6d-x2zlq   1/1     Running   3 (5m3s ago)   12s   \n",
			"NAME  READY  STATUS  RESTARTS  AGE\nweb-HASH-RAND  1/1  Running  3 (AGE ago)  AGE\n",
		},
		"an object": {
			`{"uid": "0aa1bb2c-1234-4abc-8def-0123456789ab", "resourceVersion": "123", "creationTimestamp": "2026-11-29T08:00:00Z", "hostIP": "127.64.0.1"}`,
			`{"uid": "UID", "resourceVersion": "VERSION", "creationTimestamp": "TIME", "hostIP": "IP"}` + "\n",
		},
		"yaml":               {"  resourceVersion: \"88\"\n\n", "  resourceVersion: \"VERSION\"\n"},
		"describe":           {"Start Time:  Sun, 29 Nov 2026 08:00:00 +0000", "Start Time:  TIME\n"},
		"a label":            {"pod-template-hash=7d9c5b8f6d,app=web", "pod-template-hash=HASH,app=web\n"},
		"a ReplicaSet":       {"replicaset.apps/web-7d9c5b8f6d", "replicaset.apps/web-HASH\n"},
		"microseconds":       {"2026-11-29T08:00:00.123456Z", "TIME\n"},
		"words stay":         {"statefulset.apps/db scaled to 3, kube-node-lease, 8090/TCP", "statefulset.apps/db scaled to 3, kube-node-lease, 8090/TCP\n"},
		"a count is no span": {"x3 over 2m", "x3 over AGE\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := Mask(test.text); got != test.want {
				t.Errorf("masked:\n%swant:\n%s", got, test.want)
			}
		})
	}
}
