package awstrust

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// Terraform is HCL for hashicorp/aws. Where the plan has several AWS accounts, each of
// its resources names a provider "aws.account_<ID>".
func (p *Plan) Terraform() ([]byte, error) {
	t := terraform{names: map[string]bool{}, several: len(p.accounts()) > 1}
	if t.several {
		for _, account := range p.accounts() {
			fmt.Fprintf(&t.b, "# provider \"aws\" {\n#   alias = \"account_%s\"\n# }\n", account)
		}
		t.b.WriteString("\n")
	}
	needs := map[string][]string{} // what must be there before a role, by its ARN
	for _, o := range p.Providers {
		name := t.name(o.Cluster, strings.TrimPrefix(o.Issuer, "https://"))
		needs[o.ARN] = []string{"aws_iam_openid_connect_provider." + name}
		fmt.Fprintf(&t.b, "# The issuer of %s. If the account has it already:\n# terraform import aws_iam_openid_connect_provider.%s %s\n", clusterName(o.Cluster), name, oneLine(o.ARN))
		fmt.Fprintf(&t.b, "resource \"aws_iam_openid_connect_provider\" %q {\n", name)
		t.provider(o.Account)
		fmt.Fprintf(&t.b, "  url            = %s\n  client_id_list = [%s]\n", literal(o.Issuer), literals(o.ClientIDs))
		if len(o.Thumbprints) > 0 {
			fmt.Fprintf(&t.b, "  thumbprint_list = [%s]\n", literals(o.Thumbprints))
		}
		t.b.WriteString("}\n\n")
	}
	for _, r := range p.Roles {
		if err := t.role(r, needs); err != nil {
			return nil, err
		}
	}
	return append(bytes.TrimRight(t.b.Bytes(), "\n"), '\n'), nil
}

type terraform struct {
	b       bytes.Buffer
	names   map[string]bool
	several bool
}

func (t *terraform) provider(account string) {
	if t.several {
		fmt.Fprintf(&t.b, "  provider = aws.account_%s\n", account)
	}
}

func (t *terraform) role(r PlannedRole, needs map[string][]string) error {
	name := t.name(r.ARN.Name, "role")
	needs[r.ARN.String()] = []string{"aws_iam_role." + name}
	fmt.Fprintf(&t.b, "# For %s.\nresource \"aws_iam_role\" %q {\n", oneLine(strings.Join(r.Users, ", ")), name)
	t.provider(r.ARN.Account)
	fmt.Fprintf(&t.b, "  name                 = %s\n  path                 = %s\n  max_session_duration = %d\n", literal(r.ARN.Name), literal(r.ARN.Path), r.MaxSessionDuration)
	if err := t.document("assume_role_policy", r.Policy); err != nil {
		return err
	}
	var first []string
	for _, s := range r.Policy.Statements {
		for _, arn := range s.Principal.all() {
			first = append(first, needs[arn]...)
		}
	}
	if len(first) > 0 {
		fmt.Fprintf(&t.b, "  depends_on = [%s]\n", strings.Join(unique(first), ", "))
	}
	t.b.WriteString("}\n\n")
	if r.Permissions == nil {
		return nil
	}
	fmt.Fprintf(&t.b, "# The next roles of its chains.\nresource \"aws_iam_role_policy\" %q {\n", name)
	t.provider(r.ARN.Account)
	fmt.Fprintf(&t.b, "  name = %s\n  role = aws_iam_role.%s.name\n", literal(permissionsName), name)
	if err := t.document("policy", *r.Permissions); err != nil {
		return err
	}
	t.b.WriteString("}\n\n")
	return nil
}

// document writes a policy as an expression, which Terraform can compare.
func (t *terraform) document(attribute string, p Policy) error {
	raw, err := p.compact()
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	fmt.Fprintf(&t.b, "  %s = jsonencode(", attribute)
	if err := t.value(d, "  "); err != nil {
		return err
	}
	t.b.WriteString(")\n")
	return nil
}

// value writes the decoder's next value, in its own order.
func (t *terraform) value(d *json.Decoder, indent string) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	open, ok := token.(json.Delim)
	if !ok {
		fmt.Fprintf(&t.b, "%s", literal(fmt.Sprint(token))) // policies hold text alone
		return nil
	}
	t.b.WriteString(open.String() + "\n")
	for d.More() {
		t.b.WriteString(indent + "  ")
		if open == '{' {
			key, err := d.Token()
			if err != nil {
				return err
			}
			t.b.WriteString(literal(fmt.Sprint(key)) + " = ")
		}
		if err := t.value(d, indent+"  "); err != nil {
			return err
		}
		if open == '[' {
			t.b.WriteString(",")
		}
		t.b.WriteString("\n")
	}
	end, err := d.Token()
	if err != nil {
		return err
	}
	t.b.WriteString(indent + fmt.Sprint(end))
	return nil
}

var notInNames = regexp.MustCompile(`[^A-Za-z0-9_-]+`)

// name gives a resource's, made of the first of the texts that is there, and not given
// before.
func (t *terraform) name(texts ...string) string {
	base := "podpass"
	for _, text := range texts {
		if clean := strings.Trim(notInNames.ReplaceAllString(text, "_"), "_-"); clean != "" {
			base = clean
			break
		}
	}
	if base[0] >= '0' && base[0] <= '9' || base[0] == '-' {
		base = "_" + base
	}
	name := base
	for n := 2; t.names[name]; n++ {
		name = fmt.Sprintf("%s_%d", base, n)
	}
	t.names[name] = true
	return name
}

// literal is a string of HCL, in which nothing is a template.
func literal(s string) string {
	b, _ := encode(s, "") // a string has no error, and HCL has JSON's escapes
	return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(string(b))
}

func literals(list []string) string {
	var all []string
	for _, s := range list {
		all = append(all, literal(s))
	}
	return strings.Join(all, ", ")
}

func unique(list []string) []string {
	var once []string
	seen := map[string]bool{}
	for _, s := range list {
		if !seen[s] {
			seen[s] = true
			once = append(once, s)
		}
	}
	return once
}
