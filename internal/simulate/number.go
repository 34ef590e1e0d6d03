package simulate

import "fmt"

// Number is a figure of which six digits are as much as it is worth.
type Number float64

// MarshalJSON implements [encoding/json.Marshaler].
func (n Number) MarshalJSON() ([]byte, error) { return fmt.Appendf(nil, "%.6g", float64(n)), nil }
