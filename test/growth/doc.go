// Package growth has no code of its own. Its tests fail when the cost of something grows faster
// than what it is about: when a thousand containers cost a hundred times what a hundred cost.
//
// They compare one large manifest with many small ones that together are as large, so they know no
// time and no size of this machine. The race detector finds nothing in them, as they run one
// goroutine, and makes them four times as long: they are left out with it.
package growth
