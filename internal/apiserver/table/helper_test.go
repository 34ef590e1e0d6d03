package table

import (
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/probity-run/probity/internal/store"
)

// joined is the cells of a row, divided by strokes. A cell may be nothing but a string or an int64:
// Tables are copied, and a copy of JSON values knows no other number.
func joined(t *testing.T, cells []any) string {
	t.Helper()
	var texts []string
	for _, cell := range cells {
		switch cell := cell.(type) {
		case string:
			texts = append(texts, cell)
		case int64:
			texts = append(texts, strconv.FormatInt(cell, 10))
		default:
			t.Errorf("a cell is %T %[1]v, want a string or an int64", cell)
		}
	}
	return strings.Join(texts, "|")
}

// kindOf is the name of an object's type.
func kindOf(o store.Object) string { return reflect.TypeOf(o).Elem().Name() }
