// Package view decides what people are shown of the objects of a run or a cluster: tables, what is
// wrong with a Pod, how far a rollout is. Everything here is a function of a snapshot and an
// instant. Texts that others wrote are fit to be printed.
package view
