package browser

import (
	"bytes"
	"cmp"
	"context"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// mostPictures is how many bytes the pictures of docs/dashboard.md may have together.
const mostPictures = 1 << 20

// drawn is that a picture of the page has the width that there is room for: the first one that is
// sent has another.
func drawn(room string) string {
	return `(() => { const room = document.querySelector("` + room + `"), svg = room?.querySelector("svg.timeline"); return svg && Math.floor(room.clientWidth / 20) * 20 === Number(svg.getAttribute("width")); })()`
}

// shots are the pictures: where, how high, and when the page shows what it has to.
func shots() []shot {
	const pod = "/ui/pods/default/calculator-7d9c6b5f4-pz4vd"
	return []shot{
		withoutColour(),
		{"pods", "/ui/pods", 0, stripsDrawn, nil, false},
		{"pod", pod, 1000, drawn("#timeline"), nil, false},
		{"log", "/ui/logs?workload=deployment/default/calculator", 560, `document.querySelectorAll(".shown > div").length > 15`, nil, false},
		{"services", "/ui/services", 560, `document.querySelector("main .card")`, nil, false},
		{"events", "/ui/events", 560, `document.getElementById("event-list")`, nil, false},
		{"form", "/ui/workloads/deployment/default/calculator/health?probe=livenessProbe", 1160, answered(1), func(x *tab) {
			x.set("livenessProbe.periodSeconds", "10")
			x.set("livenessProbe.timeoutSeconds", "3")
			x.until("the restarts for nothing are counted", `!document.querySelector("#what .facts").textContent.includes("counted when")`)
		}, false},
		{"simulate", "/ui/simulate?workload=deployment/default/gateway&fault=hang@30s&horizon=2m", 672, drawn("#picture .scroll"), nil, false},
		{"drill", "/ui/drills/now", 1000, `document.getElementById("fault-2")`, nil, false},
	}
}

// stripsDrawn is that all strips are: those that nobody sees are not.
const stripsDrawn = `[...document.querySelectorAll("svg.strip")].every((n) => n.querySelector("path"))`

func withoutColour() shot {
	return shot{"pods-without-colour", "/ui/pods", 0, stripsDrawn, nil, true}
}

type shot struct {
	name, path string
	height     int64 // 0: that of the page
	sign       string
	do         func(*tab) // before it is made
	grey       bool       // as to somebody who sees no colours
}

// TestPictures makes the pictures of docs/dashboard.md, of a run that stands still: they are the
// same each time. It keeps them on demand:
//
//	PROBITY_DOCS=../../docs/dashboard GOWORK=off go test -run Pictures .
func TestPictures(t *testing.T) {
	dir := os.Getenv("PROBITY_DOCS")
	made := map[string][]byte{}
	for round := range 2 {
		s := scene(t)
		x := open(t, "about:blank")
		s.still(x)
		x.do(theme("light"))
		s.enter(x)
		for _, shot := range shots() {
			shown := x.shoot(s, shot)
			if round == 0 {
				made[shot.name] = shown
			} else if n := differing(t, shown, made[shot.name]); n > 0 {
				t.Errorf("another picture of %s is made the second time: %d pixels differ", shot.name, n)
			}
		}
	}
	if dir == "" {
		dir = "../../docs/dashboard"
	} else {
		for name, png := range made {
			if err := os.WriteFile(filepath.Join(dir, name+".png"), small(t, png), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	size := 0
	for name := range made {
		data, err := os.ReadFile(filepath.Join(dir, name+".png"))
		if err != nil {
			t.Errorf("there is no such picture: %v", err)
		}
		size += len(data)
	}
	if size > mostPictures {
		t.Errorf("the pictures have %d bytes, more than %d", size, mostPictures)
	}
}

// tallest is a height in which a whole page is seen.
const tallest = 4000

// twoFrames waits until what there is has been drawn.
const twoFrames = `document.fonts.ready.then(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true)))))`

// shoot makes a picture.
func (x *tab) shoot(s *stage, what shot) []byte {
	x.t.Helper()
	seen := emulation.SetEmulatedVisionDeficiencyTypeNone
	if what.grey {
		seen = emulation.SetEmulatedVisionDeficiencyTypeAchromatopsia
	}
	x.do(sight(seen), chromedp.EmulateViewport(1280, cmp.Or(what.height, 900)), chromedp.Navigate("http://"+s.address+what.path))
	x.live()
	if what.height == 0 {
		x.do(chromedp.EmulateViewport(1280, tallest)) // rows that nobody sees have the height of a guess
		eval[bool](x, twoFrames)
		x.do(chromedp.EmulateViewport(1280, eval[int64](x, "document.body.offsetHeight")))
	}
	x.until("the page shows it", what.sign)
	if what.do != nil {
		what.do(x)
	}
	eval[bool](x, `(document.activeElement?.blur(), true)`) // no cursor that blinks
	eval[bool](x, twoFrames)
	png, err := chromedp.Run(x.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		x.t.Fatal(err)
	}
	return png
}

// differing is how many pixels of two pictures differ by what can be seen: corners are not always
// smoothed to the same value.
func differing(t *testing.T, one, other []byte) (n int) {
	t.Helper()
	a, b := decode(t, one), decode(t, other)
	if a.Bounds() != b.Bounds() {
		return a.Bounds().Dx() * a.Bounds().Dy()
	}
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			if math.Abs(grey(a.At(x, y))-grey(b.At(x, y))) > 4 {
				n++
			}
		}
	}
	return n
}

// small is a picture with its 256 most frequent colours: nobody sees the difference, and it takes
// half the place.
func small(t *testing.T, data []byte) []byte {
	t.Helper()
	picture := decode(t, data)
	often := map[color.RGBA]int{}
	for y := range picture.Bounds().Dy() {
		for x := range picture.Bounds().Dx() {
			often[color.RGBAModel.Convert(picture.At(x, y)).(color.RGBA)]++
		}
	}
	colours := slices.SortedFunc(maps.Keys(often), func(a, b color.RGBA) int {
		return cmp.Or(often[b]-often[a], int(a.R)-int(b.R), int(a.G)-int(b.G), int(a.B)-int(b.B))
	})
	palette := color.Palette{}
	for _, c := range colours[:min(len(colours), 256)] {
		palette = append(palette, c)
	}
	drawn := image.NewPaletted(picture.Bounds(), palette)
	draw.Draw(drawn, drawn.Rect, picture, image.Point{}, draw.Src)
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, drawn); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// decode reads a picture.
func decode(t *testing.T, data []byte) image.Image {
	t.Helper()
	picture, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return picture
}

// grey is how light a colour is, of 255.
func grey(c color.Color) float64 {
	r, g, b, _ := c.RGBA()
	return (0.299*float64(r) + 0.587*float64(g) + 0.114*float64(b)) / 257
}

// sight makes a page look as to somebody who sees no colours, or as to everybody.
func sight(of emulation.SetEmulatedVisionDeficiencyType) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedVisionDeficiency, emulation.SetEmulatedVisionDeficiencyParams{Type: of})
		return err
	})
}
