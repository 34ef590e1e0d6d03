package workload

// chooser decides what happens: it returns a number below n. Seeded chance decides in the property
// test, a fuzzer's bytes in the fuzz target. Zero is always the quiet choice.
type chooser func(n int) int

func choose[T any](c chooser, options ...T) T { return options[c(len(options))] }

// rarely is true once in n times or less.
func (c chooser) rarely(n int) bool { return c(n) == n-1 }
