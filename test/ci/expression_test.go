package ci

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
)

// contexts are the values that expressions can name, such as inputs.files, with their whole names.
type contexts map[string]string

// expand puts the values of expressions into a text.
func (c contexts) expand(text string) (string, error) {
	var failed error
	expanded := regexp.MustCompile(`(?s)\$\{\{(.*?)\}\}`).ReplaceAllStringFunc(text, func(found string) string {
		value, err := c.evaluate(strings.TrimSuffix(strings.TrimPrefix(found, "${{"), "}}"))
		if err != nil {
			failed = err
		}
		return value
	})
	return expanded, failed
}

// evaluate is the value of an expression as text: "true" and "false" are those of conditions.
func (c contexts) evaluate(expression string) (string, error) {
	node, problem := actionlint.NewExprParser().Parse(actionlint.NewExprLexer(expression + "}}"))
	if problem != nil {
		return "", fmt.Errorf("%s: %s", expression, problem.Message)
	}
	return c.value(node)
}

func (c contexts) value(node actionlint.ExprNode) (string, error) {
	switch n := node.(type) {
	case *actionlint.StringNode:
		return n.Value, nil
	case *actionlint.ObjectDerefNode:
		return c[path(n)], nil // what is not there is empty, as GitHub has it
	case *actionlint.FuncCallNode:
		value, ok := c[n.Callee+"()"]
		if !ok {
			return "", fmt.Errorf("the function %s is not known here", n.Callee)
		}
		return value, nil
	case *actionlint.NotOpNode:
		value, err := c.value(n.Operand)
		return fmt.Sprint(!truth(value)), err
	case *actionlint.CompareOpNode:
		left, right, err := c.both(n.Left, n.Right)
		switch n.Kind {
		case actionlint.CompareOpNodeKindEq:
			return fmt.Sprint(strings.EqualFold(left, right)), err
		case actionlint.CompareOpNodeKindNotEq:
			return fmt.Sprint(!strings.EqualFold(left, right)), err
		}
		return "", fmt.Errorf("the comparison %v is not known here", n.Kind)
	case *actionlint.LogicalOpNode:
		left, right, err := c.both(n.Left, n.Right)
		if (n.Kind == actionlint.LogicalOpNodeKindAnd) == truth(left) {
			return right, err
		}
		return left, err
	}
	return "", fmt.Errorf("%T is not known here", node)
}

func (c contexts) both(a, b actionlint.ExprNode) (left, right string, err error) {
	if left, err = c.value(a); err != nil {
		return "", "", err
	}
	right, err = c.value(b)
	return left, right, err
}

func truth(value string) bool { return value != "" && value != "false" }

// path is the whole name of a value.
func path(node actionlint.ExprNode) string {
	switch n := node.(type) {
	case *actionlint.VariableNode:
		return n.Name
	case *actionlint.ObjectDerefNode:
		return path(n.Receiver) + "." + n.Property
	}
	return ""
}

func TestExpressions(t *testing.T) {
	c := contexts{"inputs.drill": "app.yaml", "steps.check.outputs.sarif": "", "cancelled()": "false"}
	for expression, want := range map[string]string{
		"inputs.drill":               "app.yaml",
		"inputs.drill != ''":         "true",
		"inputs.Drill == 'APP.yaml'": "true",
		"!cancelled() && inputs.drill == 'app.yaml' && steps.check.outputs.sarif != ''": "false",
		"inputs.nothing || 'x'": "x",
	} {
		got, err := c.evaluate(expression)
		if err != nil || got != want {
			t.Errorf("%s is %q, want %q (%v)", expression, got, want, err)
		}
	}
	if text, err := c.expand("${{ inputs.drill }}/${{inputs.drill}}"); err != nil || text != "app.yaml/app.yaml" {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := c.expand("${{ 1 + }}"); err == nil {
		t.Error("no error")
	}
}
