package gcptrust

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/gcp"
)

// stringsType is what a list of groups becomes.
var stringsType = reflect.TypeFor[[]string]()

// mapped are a token's attributes, as a provider's mapping gives them.
type mapped struct {
	subject string
	groups  []string
	// custom are attribute.* without the prefix.
	custom map[string]string
}

const (
	keySubject = "google.subject"
	keyGroups  = "google.groups"
	keyCustom  = "attribute."
)

// claimsEngine knows the variables of a provider's expressions.
func claimsEngine() (engine, error) {
	claims := cel.MapType(cel.StringType, cel.DynType)
	return newEngine(map[string]*cel.Type{"assertion": claims, "google": claims, "attribute": claims})
}

// mapping gives the attributes of a token. Without google.subject there is no principal;
// another attribute that cannot be mapped is only missing, and so a warning.
func (e evaluation) mapping(p Provider) (mapped, []finding.Finding) {
	m := mapped{custom: map[string]string{}}
	where := "provider " + p.Name + " attributeMapping"
	if p.AttributeMapping[keySubject] == "" {
		return m, []finding.Finding{finding.Fix(finding.Bad(CodeMapping, where, "maps no "+keySubject+", so that a token has no principal"), "map %s=assertion.sub", keySubject)}
	}
	var found []finding.Finding
	for _, key := range slices.Sorted(maps.Keys(p.AttributeMapping)) {
		expression, at := p.AttributeMapping[key], where+" "+finding.Clip(key)
		value, err := e.engine.eval(expression, map[string]any{"assertion": e.token.payload})
		if err == nil {
			err = m.set(key, value)
		}
		if err == nil {
			continue
		}
		f := explain(err, CodeMapping, at, expression)
		if key != keySubject {
			f.Severity = finding.Warning
			f.Message += "; members by this attribute do not fit the token"
		}
		found = append(found, f)
	}
	if finding.Worst(found) != finding.Error && (m.subject == "" || len(m.subject) > gcp.MaxSubject) {
		f := finding.Bad(CodeSubjectSize, where+" "+keySubject, fmt.Sprintf("gives %d bytes, and Google takes 1 to %d", len(m.subject), gcp.MaxSubject))
		f = finding.Sides(f, p.AttributeMapping[keySubject], m.subject)
		found = append(found, finding.Fix(f, "shorten the ServiceAccount's name, or map assertion['kubernetes.io'].serviceaccount.uid and name that in the policy"))
	}
	return m, found
}

// set takes the value of an attribute.
func (m *mapped) set(key string, value ref.Val) error {
	if key == keyGroups {
		native, err := value.ConvertToNative(stringsType)
		if text, ok := value.(types.String); ok {
			native, err = []string{string(text)}, nil
		}
		if err != nil {
			return fmt.Errorf("gives a %s, and groups are a list of strings", value.Type().TypeName())
		}
		m.groups = native.([]string)
		return nil
	}
	text, ok := value.(types.String)
	if !ok {
		return fmt.Errorf("gives a %s, and attributes are strings", value.Type().TypeName())
	}
	if key == keySubject {
		m.subject = string(text)
	} else if name, ok := strings.CutPrefix(key, keyCustom); ok {
		m.custom[name] = string(text)
	}
	return nil
}

// condition says why the attribute condition refuses the token; nil: it does not.
func (e evaluation) condition(p Provider, m mapped) []finding.Finding {
	if p.AttributeCondition == "" {
		return nil
	}
	where := "provider " + p.Name + " attributeCondition"
	google := map[string]any{"subject": m.subject}
	if p.AttributeMapping[keyGroups] != "" {
		google["groups"] = m.groups
	}
	value, err := e.engine.eval(p.AttributeCondition, map[string]any{"assertion": e.token.payload, "google": google, "attribute": m.custom})
	switch {
	case err != nil:
		return []finding.Finding{explain(err, CodeCondition, where, p.AttributeCondition)}
	case value == types.True:
		return nil
	case value != types.False:
		return []finding.Finding{finding.Sides(finding.Bad(CodeExpression, where, "gives a "+value.Type().TypeName()+", and a condition is true or false"), "", p.AttributeCondition)}
	}
	f := finding.Sides(finding.Bad(CodeCondition, where, "is false for this token"), p.AttributeCondition, e.token.String())
	return []finding.Finding{finding.Fix(f, "change the condition, or give the pod a ServiceAccount for which it holds")}
}

// explain is the finding of an expression that has no value; code is that of one which
// only this token does not fit.
func explain(err error, code, where, expression string) finding.Finding {
	if unknown, ok := errors.AsType[unknownError](err); ok {
		f := finding.Bad(CodeUnknownFunction, where, unknown.Error()+", which podpass does not evaluate as it does not know whether Google does")
		return finding.Fix(finding.Sides(f, "", expression), "ask the cloud itself: podpass token gcp SERVICEACCOUNT")
	}
	if _, ok := errors.AsType[invalidError](err); ok {
		f := finding.Bad(CodeExpression, where, "is no expression that Google takes: "+err.Error())
		return finding.Fix(finding.Sides(f, "", expression), "correct the expression: it may name assertion, and a condition google and attribute, too")
	}
	f := finding.Bad(code, where, "has no value for this token: "+err.Error())
	return finding.Fix(finding.Sides(f, expression, ""), "name claims that a ServiceAccount's token has: iss, sub, aud, and, in kubernetes.io, namespace, serviceaccount, pod and node")
}
