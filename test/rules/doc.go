// Package rules holds the rules of this repository, as tests.
package rules
