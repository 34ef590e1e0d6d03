package tune

import "testing"

func TestGrowing(t *testing.T) {
	// stalls are so many, the i-th at a share of an hour and of a length.
	stalls := func(n int, at, length func(share float64) float64) (list []Stall) {
		for i := range n {
			share := float64(i) / float64(n)
			list = append(list, Stall{Begin: 36000 * at(share), Length: length(share)})
		}
		return list
	}
	same := func(float64) float64 { return 2 }
	even := func(share float64) float64 { return share }
	grows := func(share float64) float64 { return 1 + share }
	for name, c := range map[string]struct {
		windows [][]Stall
		want    bool
	}{
		"none":                   {[][]Stall{nil}, false},
		"all the same":           {[][]Stall{stalls(100, even, same)}, false},
		"longer and longer":      {[][]Stall{stalls(100, even, grows)}, true},
		"too few to tell":        {[][]Stall{stalls(10, even, grows)}, false},
		"shorter and shorter":    {[][]Stall{stalls(100, even, func(share float64) float64 { return 2 - share })}, false},
		"all at the end":         {[][]Stall{stalls(100, func(share float64) float64 { return 0.6 + 0.4*share }, same)}, true},
		"load after idle time":   {[][]Stall{stalls(5, even, same), stalls(100, even, func(float64) float64 { return 4 })}, false},
		"in company, to and fro": {[][]Stall{stalls(100, even, func(share float64) float64 { return float64(1 + int(share*10)%2) })}, false},
	} {
		t.Run(name, func(t *testing.T) {
			var windows []Window
			for _, list := range c.windows {
				windows = append(windows, Window{Seconds: 36000, Stalls: list})
			}
			if got := NewJudge(windows).Growing; got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}
