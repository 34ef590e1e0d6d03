// Package compose reads Compose files and says in Kubernetes' words what they say. It is pure but
// for the files that a Compose file names, which its caller reads.
//
// The parts, in the order in which a file passes them:
//
//   - value: a document without anchors, merge keys and variables. Each part of it knows the place
//     where it was written, which is why this package has a reader of its own: compose-go, the
//     library of Docker Compose, drops places. It is the oracle in test/compose.
//   - loading: include and extends, which bring other files in.
//   - [Project], [Service], [Healthcheck]: what services say. Every field is used, or it is named
//     with what does not happen here, or refused as no field of Compose.
//   - [Monitor]: when Docker runs a health check and what it makes of the answers.
//   - probes: a health check as Kubernetes has it, and in which [Pattern]s of time the two differ.
//   - objects: the Deployments, Pods and Services that stand for the services, as YAML nodes.
package compose
