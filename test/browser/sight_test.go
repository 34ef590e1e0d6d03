package browser

import (
	"fmt"
	"image"
	"math"
	"testing"
)

// box is where something is on the page.
type box struct {
	Name       string
	X, Y, W, H float64
}

func (b box) in(of image.Image) image.Image {
	r := image.Rect(int(math.Floor(b.X)), int(math.Floor(b.Y)), int(math.Ceil(b.X+b.W)), int(math.Ceil(b.Y+b.H)))
	return of.(interface {
		SubImage(image.Rectangle) image.Image
	}).SubImage(r)
}

// boxes is an expression for the boxes of elements, each named by another expression in n.
func boxes(selector, name string) string {
	return fmt.Sprintf(`[...document.querySelectorAll(%q)].map((n) => { const r = n.getBoundingClientRect(); return {Name: %s, X: r.x, Y: r.y, W: r.width, H: r.height}; })`, selector, name)
}

// TestWithoutColour: who sees no colours tells the states of Pods and the marks of attempts apart,
// in both themes.
func TestWithoutColour(t *testing.T) {
	s := scene(t)
	x := open(t, "about:blank")
	s.still(x)
	s.enter(x)
	for _, colours := range []string{"light", "dark"} {
		x.do(theme(colours))
		page := decode(t, x.shoot(s, withoutColour()))
		grey := true
		for y := range page.Bounds().Dy() {
			for x := range page.Bounds().Dx() {
				r, g, b, _ := page.At(x, y).RGBA()
				grey = grey && r == g && g == b
			}
		}
		if !grey {
			t.Errorf("%s: the picture has colours", colours)
		}
		states := eval[[]box](x, boxes("li.pod h3 svg.shape", `n.closest("li.pod").querySelector(".line span").textContent`))
		apart(t, page, colours, states, 7)
		marks := eval[[]box](x, boxes(".legend svg", `n.parentElement.textContent.trim()`))
		apart(t, page, colours, marks, 7, "not yet, while starting") // a failure, as long as it is not acted upon
	}
}

// apart fails unless everything of another name has another form.
func apart(t *testing.T, page image.Image, where string, all []box, least int, without ...string) {
	t.Helper()
	forms := map[string]image.Image{}
	for _, b := range all {
		forms[b.Name] = b.in(page)
	}
	for _, name := range without {
		delete(forms, name)
	}
	if len(forms) < least {
		t.Errorf("%s: there are only %d forms: %v", where, len(forms), all)
	}
	for one, a := range forms {
		for other, b := range forms {
			if n := unlike(a, b); one < other && n < 0.05 {
				t.Errorf("%s: %q and %q look alike: %.0f %% of the pixels differ", where, one, other, n*100)
			}
		}
	}
}

// unlike is which share of two forms differs plainly.
func unlike(a, b image.Image) float64 {
	w, h := min(a.Bounds().Dx(), b.Bounds().Dx()), min(a.Bounds().Dy(), b.Bounds().Dy())
	n := 0
	for y := range h {
		for x := range w {
			one, other := a.At(a.Bounds().Min.X+x, a.Bounds().Min.Y+y), b.At(b.Bounds().Min.X+x, b.Bounds().Min.Y+y)
			if math.Abs(grey(one)-grey(other)) > 48 {
				n++
			}
		}
	}
	return float64(n) / float64(w*h)
}
