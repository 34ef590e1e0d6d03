package main

import "testing"

func TestByteSize(t *testing.T) {
	tests := map[string]struct {
		want byteSize
		text string // what it is written as again; empty means refused
	}{
		"0":                    {0, "0"},
		"1":                    {1, "1"},
		"4096B":                {4096, "4KiB"},
		"1536KiB":              {1536 << 10, "1536KiB"},
		"256MiB":               {256 << 20, "256MiB"},
		"32MiB/s":              {32 << 20, "32MiB"},
		"2GiB":                 {2 << 30, "2GiB"},
		"8589934591GiB":        {8589934591 << 30, "8589934591GiB"},
		"8589934592GiB":        {},
		"-1":                   {},
		"1.5MiB":               {},
		"MiB":                  {},
		"":                     {},
		"64MB":                 {},
		"99999999999999999999": {},
	}
	for text, test := range tests {
		var got byteSize
		err := got.Set(text)
		if (err == nil) != (test.text != "") || got != test.want || err == nil && got.String() != test.text {
			t.Errorf("Set(%q) = %d (%v), %v; want %d (%v)", text, got, got, err, test.want, test.text)
		}
	}
}

func FuzzByteSize(f *testing.F) {
	for _, text := range []string{"0", "64MiB", "32MiB/s", "1GiB", "12B", "-1KiB", "9223372036854775807", "1 MiB"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var first, second byteSize
		if first.Set(text) != nil {
			return
		}
		if err := second.Set(first.String()); err != nil || first != second || first < 0 {
			t.Errorf("%q is %d, written as %v, which is %d, %v", text, first, first, second, err)
		}
	})
}
