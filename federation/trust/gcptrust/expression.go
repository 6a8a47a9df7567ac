package gcptrust

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/ext"

	"github.com/podpass-io/podpass/federation/finding"
)

const (
	// maxExpression is the limit of an attribute condition, in characters; that of a
	// mapping is half of it.
	maxExpression = 4096
	// maxCost stops an expression that somebody wrote to be slow. The dearest of Google's
	// own examples costs some hundreds.
	maxCost = 100_000
)

// engine evaluates CEL as Google does for providers: the standard library and its macros,
// extract, and of the string extensions those that Google's documentation uses.
// https://cloud.google.com/iam/docs/workload-identity-federation#mapping
// https://cloud.google.com/iam/docs/conditions-attribute-reference#extract
type engine struct{ env *cel.Env }

// documented are the functions beyond the standard library.
var documented = []string{"extract", "split", "join", "lowerAscii", "upperAscii"}

// newEngine gives an engine that knows variables; each is a map, or a timestamp.
func newEngine(variables map[string]*cel.Type) (engine, error) {
	options := []cel.EnvOption{
		ext.Strings(ext.StringsVersion(2)), // 2 has join
		cel.CrossTypeNumericComparisons(true),
		cel.ParserExpressionSizeLimit(maxExpression),
		cel.Function("extract", cel.MemberOverload("string_extract_string", []*cel.Type{cel.StringType, cel.StringType}, cel.StringType,
			cel.BinaryBinding(func(value, template ref.Val) ref.Val {
				return types.String(extract(string(value.(types.String)), string(template.(types.String))))
			}))),
	}
	for name, t := range variables {
		options = append(options, cel.Variable(name, t))
	}
	env, err := cel.NewEnv(options...)
	return engine{env}, err
}

// unknownError names what an expression uses that podpass does not evaluate.
type unknownError struct{ names []string }

func (e unknownError) Error() string { return "uses " + strings.Join(e.names, ", ") }

// invalidError is of an expression that is none, whatever the token.
type invalidError struct{ error }

// eval gives the value of an expression. Its error is an unknownError for what is not
// evaluated rather than guessed, and an invalidError for what Google does not take
// either; any other comes of this token's claims.
func (e engine) eval(expression string, variables map[string]any) (ref.Val, error) {
	parsed, issues := e.env.Parse(expression)
	if issues.Err() != nil {
		return nil, invalidError{oneLine(issues.Err())}
	}
	if names := unknown(e.env, parsed); len(names) > 0 {
		return nil, unknownError{names}
	}
	checked, issues := e.env.Check(parsed)
	if issues.Err() != nil {
		return nil, invalidError{oneLine(issues.Err())}
	}
	program, err := e.env.Program(checked, cel.CostLimit(maxCost))
	if err != nil {
		return nil, invalidError{oneLine(err)}
	}
	value, _, err := program.Eval(variables)
	if err != nil {
		return nil, oneLine(err)
	}
	return value, nil
}

// identifier tells functions from operators, which the parser has made calls.
var identifier = regexp.MustCompile(`^[a-zA-Z]\w*$`)

// unknown lists the functions of an expression that Google may know, and podpass does not.
func unknown(env *cel.Env, parsed *cel.Ast) []string {
	var names []string
	note := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	ast.PostOrderVisit(parsed.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.CallKind {
			return
		}
		name := e.AsCall().FunctionName()
		if identifier.MatchString(name) && !slices.Contains(documented, name) && !standard(env, name) {
			note(name + "()")
		}
	}))
	return names
}

// standard reports whether a function is of CEL itself, as are those of the string
// extensions not.
func standard(env *cel.Env, name string) bool {
	return env.HasFunction(name) && !slices.Contains(undocumented, name)
}

// undocumented are the string extensions that come with join and split, and that Google
// does not mention.
var undocumented = []string{"charAt", "format", "indexOf", "lastIndexOf", "replace", "substring", "trim", "strings.quote"}

// extract gives the part of value for which "{name}" stands in template; empty where
// value does not have what is around it.
func extract(value, template string) string {
	before, rest, _ := strings.Cut(template, "{")
	_, after, closed := strings.Cut(rest, "}")
	if !closed {
		return ""
	}
	_, found, ok := strings.Cut(value, before)
	if !ok {
		return ""
	}
	if after == "" {
		return found
	}
	part, _, ok := strings.Cut(found, after)
	if !ok {
		return ""
	}
	return part
}

// oneLine is an error of cel-go without the drawing of the place.
func oneLine(err error) error {
	text, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New(finding.Clip(strings.TrimPrefix(text, "ERROR: ")))
}
