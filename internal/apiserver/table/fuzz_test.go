package table

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/probity-run/probity/internal/store"
)

// FuzzRow prints what any client may send as an object: there is a cell for each column, whatever
// the object has or lacks.
func FuzzRow(f *testing.F) {
	known := kinds()
	for i := range known {
		f.Add(uint8(i), `{"metadata":{"name":"a","creationTimestamp":"2026-11-29T11:55:00Z"},"spec":{},"status":{}}`)
		f.Add(uint8(i), `{"metadata":{"creationTimestamp":null},"spec":null,"status":{"conditions":[{}]}}`)
	}
	for _, pod := range []string{
		`{"spec":{"initContainers":[{"name":"a","restartPolicy":"Always"}],"containers":[{}]},"status":{"phase":"Running",
		"initContainerStatuses":[{"name":"a","started":true,"ready":true},{"name":"b","state":{"waiting":{"reason":"c"}}}]}}`,
		`{"metadata":{"deletionTimestamp":"2026-11-29T11:55:00Z"},"status":{"podIPs":[{}],"containerStatuses":[{"restartCount":1,
		"state":{"terminated":{"signal":9}},"lastState":{"terminated":{"finishedAt":"9999-12-31T23:59:59Z"}}}]}}`,
	} {
		f.Add(uint8(0), pod)
	}
	f.Fuzz(func(t *testing.T, kind uint8, data string) {
		o := reflect.New(reflect.TypeOf(known[int(kind)%len(known)].kind).Elem()).Interface().(store.Object)
		if json.Unmarshal([]byte(data), o) != nil {
			t.Skip()
		}
		before := o.DeepCopyObject()
		cellsOf(t, o)
		if !reflect.DeepEqual(before, o) {
			t.Errorf("printing has changed %+v to %+v", before, o)
		}
	})
}
