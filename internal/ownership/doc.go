// Package ownership tells who keeps an object of a cluster, and who keeps which of its fields: by
// the marks that tools leave, and by managed fields. It is pure.
package ownership
