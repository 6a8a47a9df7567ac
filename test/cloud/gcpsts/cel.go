package gcpsts

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// evaluate gives the value of an expression in CEL, with Google's own functions.
func evaluate(expression string, variables map[string]any) (any, error) {
	one := func(name string, f func(string) string) cel.EnvOption {
		return cel.Function(name, cel.MemberOverload(name, []*cel.Type{cel.StringType}, cel.StringType,
			cel.UnaryBinding(func(v ref.Val) ref.Val { return types.String(f(v.Value().(string))) })))
	}
	options := []cel.EnvOption{
		one("lowerAscii", strings.ToLower), one("upperAscii", strings.ToUpper),
		cel.Function("extract", cel.MemberOverload("extract", []*cel.Type{cel.StringType, cel.StringType}, cel.StringType,
			cel.BinaryBinding(func(v, t ref.Val) ref.Val { return types.String(extracted(v.Value().(string), t.Value().(string))) }))),
		cel.Function("split", cel.MemberOverload("split", []*cel.Type{cel.StringType, cel.StringType}, cel.ListType(cel.StringType),
			cel.BinaryBinding(func(v, s ref.Val) ref.Val {
				return types.DefaultTypeAdapter.NativeToValue(strings.Split(v.Value().(string), s.Value().(string)))
			}))),
		cel.Function("join", cel.MemberOverload("join", []*cel.Type{cel.ListType(cel.StringType), cel.StringType}, cel.StringType,
			cel.BinaryBinding(func(l, s ref.Val) ref.Val {
				list, err := l.ConvertToNative(reflect.TypeFor[[]string]())
				if err != nil {
					return types.NewErr("join: %v", err)
				}
				return types.String(strings.Join(list.([]string), s.Value().(string)))
			}))),
	}
	for name := range variables {
		options = append(options, cel.Variable(name, cel.DynType))
	}
	env, err := cel.NewEnv(options...)
	if err != nil {
		return nil, err
	}
	compiled, issues := env.Compile(expression)
	if issues.Err() != nil {
		return nil, issues.Err()
	}
	program, err := env.Program(compiled, cel.CostLimit(1_000_000))
	if err != nil {
		return nil, err
	}
	value, _, err := program.Eval(variables)
	if err != nil {
		return nil, err
	}
	if list, ok := value.Value().([]ref.Val); ok {
		var plain []any
		for _, v := range list {
			plain = append(plain, v.Value())
		}
		return plain, nil
	}
	return value.Value(), nil
}

// holds evaluates a condition.
func holds(expression string, variables map[string]any) (bool, error) {
	value, err := evaluate(expression, variables)
	if err != nil {
		return false, err
	}
	ok, is := value.(bool)
	if !is {
		return false, fmt.Errorf("a condition that gives %T", value)
	}
	return ok, nil
}

var placeholder = regexp.MustCompile(`\{[^}]*\}`)

// extracted is the part of a value for which {name} stands in a template, as a regular
// expression finds it.
func extracted(value, template string) string {
	at := placeholder.FindStringIndex(template)
	if at == nil {
		return ""
	}
	before, after := regexp.QuoteMeta(template[:at[0]]), regexp.QuoteMeta(template[at[1]:])
	pattern := "(?s)" + before + "(.*)$"
	if after != "" {
		pattern = "(?s)" + before + "(.*?)" + after
	}
	parts := regexp.MustCompile(pattern).FindStringSubmatch(value)
	if parts == nil {
		return ""
	}
	return parts[1]
}
