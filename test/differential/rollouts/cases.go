//go:build linux

package main

import "strings"

// cases are Deployments that do not come up on a real kubelet, or do so late, by name: the spec of
// their Pods.
func cases() map[string]string {
	return map[string]string{
		"image-name":  `containers: [{name: web, image: "UPPER//case"}]`,
		"image-never": `containers: [{name: web, image: "probity.test/missing:1", imagePullPolicy: Never}]`,
		"image-pull":  `containers: [{name: web, image: "localhost:5999/missing:1"}]`,
		"volume": `
volumes: [{name: v, configMap: {name: settings}}]
containers: [{name: web, image: "IMAGE", volumeMounts: [{name: v, mountPath: /v}]}]`,
		"config":  `containers: [{name: web, PLAYER, args: [serve], envFrom: [{configMapRef: {name: settings}}]}]`,
		"command": `containers: [{name: web, image: "IMAGE", imagePullPolicy: Never, command: [/absent]}]`,
		"init": `
initContainers: [{name: migrate, PLAYER, args: [serve, -life, "0s:3"]}]
containers: [{name: web, PLAYER, args: [serve]}]`,
		"crash":     `containers: [{name: web, PLAYER, args: [serve, -life, "0s:3"]}]`,
		"startup":   `containers: [{name: web, PLAYER, args: [serve, -delay, 600s], startupProbe: {httpGet: {path: /startupz, port: 8080}, periodSeconds: 1, failureThreshold: 3}}]`,
		"liveness":  `containers: [{name: web, PLAYER, args: [serve], ports: [{name: http, containerPort: 8080}], READINESS, livenessProbe: {httpGet: {path: /livez, port: 9999}, periodSeconds: 1}}]`,
		"readiness": `containers: [{name: web, PLAYER, args: [serve, -answers, /ready=404], READINESS}]`,
		// these come up
		"up":           `containers: [{name: web, PLAYER, args: [serve], READINESS}]`,
		"exits-twice":  `containers: [{name: web, PLAYER, args: [serve, -life, "0s:1|0s:1|"], READINESS}]`,
		"ready-late":   `containers: [{name: web, PLAYER, args: [serve, -answers, "/ready=404x40,200"], READINESS}]`,
		"starts-third": `containers: [{name: web, PLAYER, args: [serve, -delay, 600s|600s|0s], READINESS, startupProbe: {httpGet: {path: /startupz, port: 8080}, periodSeconds: 1, failureThreshold: 3}}]`,
	}
}

// manifest is the Deployment of a case, with the image that the cluster has.
func manifest(spec, image string) string {
	spec = strings.NewReplacer(
		"PLAYER", `image: "`+image+`", imagePullPolicy: Never, command: [/player], env: [{name: PLAYER_LEDGER, value: /ledger}, {name: PLAYER_POD, value: web}], volumeMounts: [{name: ledger, mountPath: /ledger}]`,
		"IMAGE", image, "READINESS", `readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1}`,
	).Replace(spec)
	spec = strings.ReplaceAll(spec, "\n", "\n      ")
	volumes := "volumes: [{name: ledger, emptyDir: {}}]\n      "
	if strings.Contains(spec, "volumes:") {
		volumes = ""
	}
	return `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      ` + volumes + spec + "\n"
}
