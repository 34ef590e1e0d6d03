//go:build !linux

package scrape

// Only Linux tells these without a library.

func cpuSeconds() (float64, bool)      { return 0, false }
func residentBytes() (float64, bool)   { return 0, false }
func virtualBytes() (float64, bool)    { return 0, false }
func startSeconds() (float64, bool)    { return 0, false }
func openDescriptors() (float64, bool) { return 0, false }
func maxDescriptors() (float64, bool)  { return 0, false }
