package terraform

import (
	"fmt"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// file is a configuration, parsed.
type file struct {
	// resources, data, variables and outputs by address ("aws_iam_role.orders"), in order.
	addresses []string
	resources map[string]*hclsyntax.Body
}

// parse fails the test if the source is not HCL, or not formatted.
func parse(t *testing.T, source []byte) file {
	t.Helper()
	if formatted := hclwrite.Format(source); string(formatted) != string(source) {
		t.Errorf("terraform fmt would change it to:\n%s", formatted)
	}
	parsed, problems := hclparse.NewParser().ParseHCL(source, "main.tf")
	if problems.HasErrors() {
		t.Fatalf("%v:\n%s", problems, source)
	}
	body, ok := parsed.Body.(*hclsyntax.Body)
	if !ok {
		t.Fatalf("the body is a %T", parsed.Body)
	}
	f := file{resources: map[string]*hclsyntax.Body{}}
	for _, b := range body.Blocks {
		var address string
		switch {
		case b.Type == "resource" && len(b.Labels) == 2:
			address = b.Labels[0] + "." + b.Labels[1]
		case b.Type == "data" && len(b.Labels) == 2:
			address = "data." + b.Labels[0] + "." + b.Labels[1]
		case b.Type == "variable" && len(b.Labels) == 1:
			address = "var." + b.Labels[0]
		case b.Type == "output" && len(b.Labels) == 1:
			address = "output." + b.Labels[0]
		default:
			t.Errorf("a block %s %q", b.Type, b.Labels)
			continue
		}
		if f.resources[address] != nil {
			t.Errorf("%s is there twice", address)
		}
		f.addresses = append(f.addresses, address)
		f.resources[address] = b.Body
	}
	return f
}

// value of an attribute without references, as Terraform evaluates it.
func (f file) value(t *testing.T, address, attribute string) cty.Value {
	t.Helper()
	v, problems := f.attribute(t, address, attribute).Expr.Value(&hcl.EvalContext{
		Functions: map[string]function.Function{"jsonencode": stdlib.JSONEncodeFunc},
	})
	if problems.HasErrors() {
		t.Fatalf("%s %s: %v", address, attribute, problems)
	}
	return v
}

// references of an attribute, as addresses: "aws_iam_role.orders".
func (f file) references(t *testing.T, address, attribute string) []string {
	t.Helper()
	var list []string
	for _, traversal := range f.attribute(t, address, attribute).Expr.Variables() {
		second, ok := traversal[1].(hcl.TraverseAttr)
		if !ok {
			t.Fatalf("%s %s: a reference with a %T", address, attribute, traversal[1])
		}
		list = append(list, fmt.Sprintf("%s.%s", traversal.RootName(), second.Name))
	}
	return list
}

func (f file) attribute(t *testing.T, address, attribute string) *hclsyntax.Attribute {
	t.Helper()
	body := f.resources[address]
	if body == nil || body.Attributes[attribute] == nil {
		t.Fatalf("%s has no %s", address, attribute)
	}
	return body.Attributes[attribute]
}
