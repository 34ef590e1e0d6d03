package kube

import (
	"fmt"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Condition is what somebody waits for, as kubectl wait --for has it.
type Condition struct {
	// Create and Delete wait for that; of the others at most one is set.
	Create, Delete bool
	// Type is that of a condition of the status, in lower case, Value what it has to be.
	Type, Value string
	// Field is the path of a field that has to be there, and to have the Value unless that is "".
	Field []string
}

// ParseCondition reads condition=Ready, condition=Ready=false, delete, create or
// jsonpath={.status.phase}=Running, of which only plain paths are taken.
func ParseCondition(text string) (Condition, error) {
	kind, rest, _ := strings.Cut(text, "=")
	switch strings.ToLower(kind) {
	case "create":
		return Condition{Create: true}, nil
	case "delete":
		return Condition{Delete: true}, nil
	case "condition":
		name, value, given := strings.Cut(rest, "=")
		if name == "" {
			break
		}
		if !given {
			value = string(metav1.ConditionTrue)
		}
		return Condition{Type: strings.ToLower(name), Value: strings.ToLower(value)}, nil
	case "jsonpath":
		path, value, err := parsePath(rest)
		if err != nil {
			return Condition{}, err
		}
		return Condition{Field: path, Value: value}, nil
	}
	return Condition{}, fmt.Errorf("cannot wait for %q: write condition=Ready, delete, create or jsonpath={.status.phase}=Running", text)
}

// parsePath reads {.status.phase}=Running.
func parsePath(text string) (path []string, value string, err error) {
	bad := fmt.Errorf("cannot wait for jsonpath=%s: it takes a plain path, as in jsonpath={.status.conditions[0].reason}=Done", text)
	inner, after, closed := strings.Cut(strings.TrimPrefix(text, "{"), "}")
	if !strings.HasPrefix(text, "{.") || !closed || after != "" && !strings.HasPrefix(after, "=") {
		return nil, "", bad
	}
	for part := range strings.SplitSeq(strings.TrimPrefix(inner, "."), ".") {
		name, index, indexed := strings.Cut(part, "[")
		if name == "" {
			return nil, "", bad
		}
		path = append(path, name)
		if indexed {
			number := strings.TrimSuffix(index, "]")
			if _, err := strconv.ParseUint(number, 10, 31); err != nil || number == index {
				return nil, "", bad
			}
			path = append(path, number)
		}
	}
	return path, strings.TrimPrefix(after, "="), nil
}

// Met reports whether an object is as it is wanted; nil means that there is none.
func (c Condition) Met(o map[string]any) bool {
	switch {
	case c.Create:
		return o != nil
	case c.Delete:
		return o == nil
	case o == nil:
		return false
	case c.Field != nil:
		value, ok := fieldOf(o, c.Field)
		return ok && (c.Value == "" || fmt.Sprint(value) == c.Value)
	}
	found, _ := fieldOf(o, []string{"status", "conditions"})
	conditions, _ := found.([]any) // none if it has another form
	for _, item := range conditions {
		condition, _ := item.(map[string]any)
		if name, _ := condition["type"].(string); strings.ToLower(name) == c.Type {
			status, _ := condition["status"].(string)
			return strings.ToLower(status) == c.Value && !isOutdated(o, condition)
		}
	}
	return false
}

// isOutdated reports whether a condition was observed of an older generation than the object has.
func isOutdated(o, condition map[string]any) bool {
	observed, ok := fieldOf(condition, []string{"observedGeneration"})
	if !ok {
		observed, ok = fieldOf(o, []string{"status", "observedGeneration"})
	}
	generation, known := fieldOf(o, []string{"metadata", "generation"})
	before, isNumber := observed.(float64)
	now, isNumber2 := generation.(float64)
	return ok && known && isNumber && isNumber2 && before < now
}

// fieldOf follows a path through maps and lists.
func fieldOf(o any, path []string) (any, bool) {
	for _, step := range path {
		switch value := o.(type) {
		case map[string]any:
			next, ok := value[step]
			if !ok {
				return nil, false
			}
			o = next
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(value) {
				return nil, false
			}
			o = value[i]
		default:
			return nil, false
		}
	}
	return o, true
}
