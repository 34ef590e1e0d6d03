package drill

import (
	"strings"
	"testing"
)

func TestParseRequest(t *testing.T) {
	r, err := ParseRequest(`POST /compute {"x": [1, 2]}`)
	if err != nil || r.Name() != "POST /compute" || r.Body != `{"x": [1, 2]}` || r.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err = ParseRequest("GET /results?n=1"); err != nil || r.Path != "/results?n=1" || r.Body != "" || len(r.Header) != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	for _, text := range []string{"", "GET", "get /", "GET results", "GET http://elsewhere/", "GE T /", "GET /\x7f"} {
		if _, err := ParseRequest(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func TestParseHAR(t *testing.T) {
	all, note, err := ParseHAR([]byte(`{"log": {"entries": [
		{"request": {"method": "GET", "url": "https://shop.example/cart?id=7", "headers": [{"name": "Cookie", "value": "s=secret"}, {"name": "Accept", "value": "*/*"}]}},
		{"request": {"method": "POST", "url": "https://shop.example/buy", "headers": [], "postData": {"mimeType": "application/json", "text": "{}"}}}
	]}}`))
	if err != nil || note != "" || len(all) != 2 || all[0].Name() != "GET /cart?id=7" || all[1].Body != "{}" {
		t.Fatalf("%+v, %v", all, err)
	}
	if h := all[0].Header; h.Get("Cookie") != "" || h.Get("Accept") != "*/*" {
		t.Errorf("headers %v: no cookie of somebody is to be sent", h)
	}
	for _, text := range []string{"", "{}", `{"log": {"entries": [{"request": {"method": "GET", "url": "::"}}]}}`, strings.Repeat("[", 100)} {
		if _, _, err := ParseHAR([]byte(text)); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

// TestHARLeftOut: a page loads from elsewhere, too, and has pictures in itself.
func TestHARLeftOut(t *testing.T) {
	har := func(urls ...string) []byte {
		var text strings.Builder
		for _, url := range urls {
			text.WriteString(`,{"request": {"method": "GET", "url": "` + url + `"}}`)
		}
		return []byte(`{"log": {"entries": [` + strings.TrimPrefix(text.String(), ",") + `]}}`)
	}
	all, note, err := ParseHAR(har("data:image/png;base64,AAAA", "https://shop.example/cart", "https://fonts.example/a.woff2", "https://SHOP.example/buy", "wss://shop.example/live", "https://shop.example:8443/x"))
	if want := "4 of 6 requests of the HAR file are left out: 2 to other hosts than shop.example, 2 without HTTP"; err != nil || note != want || len(all) != 2 || all[1].Path != "/buy" {
		t.Errorf("%+v, %q, %v; want %q", all, note, err, want)
	}
	if _, _, err := ParseHAR(har("data:,a")); err == nil {
		t.Error("a file without any request is taken")
	}
}

func FuzzParseHAR(f *testing.F) {
	f.Add([]byte(`{"log": {"entries": [{"request": {"method": "GET", "url": "https://a.example/x", "headers": [{"name": "Accept", "value": "a"}]}}]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		all, _, err := ParseHAR(data)
		if err != nil {
			return
		}
		for _, r := range all {
			if r.check() != nil {
				t.Errorf("%+v", r)
			}
		}
	})
}

func FuzzParseRequest(f *testing.F) {
	f.Add(`POST /compute {"x":[1]}`)
	f.Fuzz(func(t *testing.T, text string) {
		if r, err := ParseRequest(text); err == nil && r.check() != nil {
			t.Errorf("%+v", r)
		}
	})
}

func TestAssertions(t *testing.T) {
	r := &Report{Results: []*Result{
		{Side: SideInside, Lost: 3, Repetitions: []*Repetition{
			{Measured: Moments{Killed: seconds(8), Unready: seconds(2)}, Replicas: []Replica{{Restarts: 1}}}, {Measured: Moments{Killed: seconds(9)}},
		}},
		{Side: SideOutside, Lost: 2, Repetitions: []*Repetition{{Replicas: []Replica{{Restarts: 1}}}}},
	}}
	for text, want := range map[string]Assertion{
		"kill within 9s":  {Holds: true, Got: "9s"},
		"kill within 8s":  {Got: "9s"},
		"out within 1m":   {Got: "never"},
		"restarts == 0":   {Got: "1"},
		"restarts <= 1":   {Holds: true, Got: "1"},
		"lost < 5":        {Got: "5"},
		"lost <= 5":       {Holds: true, Got: "5"},
		"restarts == 1e3": {Got: "1"},
	} {
		a, err := ParseAssertion(text)
		if want.Text = text; err != nil || a.Check(r) != want {
			t.Errorf("%s: %+v, %v, want %+v", text, a.Check(r), err, want)
		}
	}
	late := func(rep Repetition) *Repetition { rep.Tainted = true; return &rep }
	r.Results[0].Repetitions = append(r.Results[0].Repetitions, late(Repetition{Measured: Moments{Killed: seconds(30)}}))
	r.Results[1].Repetitions = append(r.Results[1].Repetitions, late(Repetition{Replicas: []Replica{{Restarts: 5}}}))
	for text, want := range map[string]string{"kill within 9s": "9s", "restarts == 1": "1"} {
		if a, err := ParseAssertion(text); err != nil || a.Check(r) != (Assertion{Text: text, Holds: true, Got: want}) {
			t.Errorf("%s, with repetitions that say nothing: %+v, %v", text, a.Check(r), err)
		}
	}
	r.Results = append(r.Results, &Result{Title: "deadlock", Side: SideInside, Repetitions: []*Repetition{late(Repetition{Measured: Moments{Killed: seconds(1)}})}})
	for _, text := range []string{"kill within 9s", "lost <= 100"} {
		if a, err := ParseAssertion(text); err != nil || a.Check(r).Holds || !strings.Contains(a.Check(r).Got, "too busy at deadlock") {
			t.Errorf("%s, of a fault that nothing can be told of: %+v, %v", text, a.Check(r), err)
		}
	}
	for _, text := range []string{"", "kill", "kill == 3", "kill within soon", "lost within 3s", "lost <= -1", "lost <= NaN", "dead within 3s"} {
		if _, err := ParseAssertion(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}
