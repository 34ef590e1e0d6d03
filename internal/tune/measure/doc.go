// Package measure makes a series of the services of manifests: it runs them in a system of their
// own, without their probes, asks what those would ask, and notes how long starts and answers take.
package measure
