// Package logs reads what containers have printed through the API, of several at a time, in the
// order of their lines' times, and goes on with what they print: also of Pods that come later, and
// of instances that follow each other.
package logs
