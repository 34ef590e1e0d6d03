package manifest

import (
	"reflect"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
)

// Merge returns a copy of the live object with what someone changed from one configuration to the
// next: a three-way merge. What did not change stays as it is, also where others have changed it
// meanwhile. All three are of one type; before and desired have no defaults, and before may be
// nil. What is not in desired any more is left for [Default] to fill in.
//
// Lists are merged as kubectl apply does, by the field that tells their items apart where
// Kubernetes has one, such as the name of a container, else as a whole.
func Merge(live, before, desired Resource) Resource {
	merged := live.DeepCopyObject().(Resource)
	to, want := reflect.ValueOf(merged).Elem(), reflect.ValueOf(desired.DeepCopyObject()).Elem()
	was := reflect.Zero(want.Type())
	if before != nil {
		was = reflect.ValueOf(before).Elem()
	}
	to.Set(mergeValue(to, was, want, ""))
	return merged
}

// mergeValue returns what becomes of a live value. A key tells the items of a list apart.
func mergeValue(live, before, desired reflect.Value, key string) reflect.Value {
	if reflect.DeepEqual(before.Interface(), desired.Interface()) {
		return live
	}
	switch t := live.Type(); {
	case t.Kind() == reflect.Pointer && isPlain(t.Elem()) && !live.IsNil() && !desired.IsNil():
		return mergePointer(live, before, desired)
	case isPlain(t):
		return mergeStruct(live, before, desired)
	case t.Kind() == reflect.Map:
		return mergeMap(live, before, desired)
	case t.Kind() == reflect.Slice && key != "":
		return mergeList(live, before, desired, key)
	}
	return desired
}

// isPlain reports whether a type is a struct of fields to merge, not one that is one value, such as
// a quantity, a time, or a number that may be a string.
func isPlain(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && !isCustom(t)
}

func mergePointer(live, before, desired reflect.Value) reflect.Value {
	was := reflect.Zero(live.Type().Elem())
	if !before.IsNil() {
		was = before.Elem()
	}
	merged := reflect.New(live.Type().Elem())
	merged.Elem().Set(mergeValue(live.Elem(), was, desired.Elem(), ""))
	return merged
}

func mergeStruct(live, before, desired reflect.Value) reflect.Value {
	merged := reflect.New(live.Type()).Elem()
	for i := range live.NumField() {
		tag := live.Type().Field(i).Tag
		value := mergeValue(live.Field(i), before.Field(i), desired.Field(i), tag.Get("patchMergeKey"))
		merged.Field(i).Set(value)
		if isUnion(live.Type().Field(i)) && !reflect.DeepEqual(before.Field(i).Interface(), desired.Field(i).Interface()) {
			retain(merged.Field(i), desired.Field(i))
		}
	}
	return merged
}

// isUnion reports whether a field is one of several kinds, or a list of such: defaults of one kind
// do not fit another one.
func isUnion(field reflect.StructField) bool {
	return strings.Contains(field.Tag.Get("patchStrategy"), "retainKeys") || field.Type == reflect.TypeFor[appsv1.StatefulSetUpdateStrategy]()
}

// retain keeps of a union, or of those in a list, what is desired.
func retain(merged, desired reflect.Value) {
	switch merged.Kind() {
	case reflect.Slice:
		for i := range desired.Len() { // they come first, in the same order
			if i < merged.Len() && reflect.DeepEqual(merged.Index(i).FieldByName("Name").Interface(), desired.Index(i).FieldByName("Name").Interface()) {
				retain(merged.Index(i), desired.Index(i))
			}
		}
	case reflect.Struct:
		for i := range merged.NumField() {
			field := merged.Field(i)
			switch {
			case desired.Field(i).IsZero():
				field.SetZero()
			case field.Kind() == reflect.Struct: // the sources of a volume are embedded
				retain(field, desired.Field(i))
			}
		}
	}
}

func mergeMap(live, before, desired reflect.Value) reflect.Value {
	merged := reflect.MakeMap(live.Type())
	for _, key := range live.MapKeys() {
		was, want := before.MapIndex(key), desired.MapIndex(key)
		switch {
		case want.IsValid() && was.IsValid():
			merged.SetMapIndex(key, mergeValue(live.MapIndex(key), was, want, ""))
		case want.IsValid():
			merged.SetMapIndex(key, want)
		case !was.IsValid():
			merged.SetMapIndex(key, live.MapIndex(key))
		}
	}
	for _, key := range desired.MapKeys() {
		was, want := before.MapIndex(key), desired.MapIndex(key)
		takenOut := was.IsValid() && reflect.DeepEqual(was.Interface(), want.Interface())
		if !live.MapIndex(key).IsValid() && !takenOut {
			merged.SetMapIndex(key, want)
		}
	}
	return merged
}

// mergeList merges items that have a field in common that tells them apart: in the order of the
// desired ones, and after them those of others.
func mergeList(live, before, desired reflect.Value, key string) reflect.Value {
	index := fieldNamed(live.Type().Elem(), key)
	if index < 0 || !isUnique(live, index) || !isUnique(before, index) || !isUnique(desired, index) {
		return desired
	}
	find := func(list, item reflect.Value) reflect.Value {
		for i := range list.Len() {
			if list.Index(i).Field(index).Equal(item.Field(index)) {
				return list.Index(i)
			}
		}
		return reflect.Value{}
	}
	none := reflect.Zero(live.Type().Elem())
	merged := reflect.MakeSlice(live.Type(), 0, live.Len()+desired.Len())
	for i := range desired.Len() {
		want := desired.Index(i)
		now, was := find(live, want), find(before, want)
		switch {
		case !now.IsValid() && was.IsValid() && reflect.DeepEqual(was.Interface(), want.Interface()):
			continue // somebody took it out
		case !now.IsValid():
			now = none
		}
		if !was.IsValid() {
			was = none
		}
		merged = reflect.Append(merged, mergeValue(now, was, want, ""))
	}
	for i := range live.Len() {
		if item := live.Index(i); !find(desired, item).IsValid() && !find(before, item).IsValid() {
			merged = reflect.Append(merged, item)
		}
	}
	return merged
}

// isUnique reports whether a field tells the items of a list apart: the port of a Service does not
// if there is one of TCP and one of UDP.
func isUnique(list reflect.Value, index int) bool {
	seen := map[any]bool{}
	for i := range list.Len() {
		key := list.Index(i).Field(index).Interface()
		if seen[key] {
			return false
		}
		seen[key] = true
	}
	return true
}

// fieldNamed finds a field by its name in JSON. It returns -1 if there is none.
func fieldNamed(t reflect.Type, name string) int {
	if t.Kind() != reflect.Struct {
		return -1
	}
	for i := range t.NumField() {
		if tag, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); tag == name {
			return i
		}
	}
	return -1
}
