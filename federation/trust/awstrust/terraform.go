package awstrust

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
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
		attributes := [][2]string{{"url", literal(o.Issuer)}, {"client_id_list", "[" + literals(o.ClientIDs) + "]"}}
		if len(o.Thumbprints) > 0 {
			attributes = append(attributes, [2]string{"thumbprint_list", "[" + literals(o.Thumbprints) + "]"})
		}
		t.attributes(attributes)
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
		fmt.Fprintf(&t.b, "  provider = aws.account_%s\n\n", account)
	}
}

// attributes writes them as terraform fmt does.
func (t *terraform) attributes(list [][2]string) {
	width := 0
	for _, a := range list {
		width = max(width, len(a[0]))
	}
	for _, a := range list {
		fmt.Fprintf(&t.b, "  %-*s = %s\n", width, a[0], a[1])
	}
}

func (t *terraform) role(r PlannedRole, needs map[string][]string) error {
	name := t.name(r.ARN.Name, "role")
	needs[r.ARN.String()] = []string{"aws_iam_role." + name}
	fmt.Fprintf(&t.b, "# For %s.\nresource \"aws_iam_role\" %q {\n", r.users(), name)
	t.provider(r.ARN.Account)
	t.attributes([][2]string{{"name", literal(r.ARN.Name)}, {"path", literal(r.ARN.Path)}, {"max_session_duration", strconv.Itoa(r.MaxSessionDuration)}})
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
		fmt.Fprintf(&t.b, "\n  depends_on = [%s]\n", strings.Join(unique(first), ", "))
	}
	t.b.WriteString("}\n\n")
	if r.Permissions == nil {
		return nil
	}
	fmt.Fprintf(&t.b, "# The next roles of its chains.\nresource \"aws_iam_role_policy\" %q {\n", name)
	t.provider(r.ARN.Account)
	t.attributes([][2]string{{"name", literal(permissionsName)}, {"role", "aws_iam_role." + name + ".name"}})
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
	v, err := expression(json.NewDecoder(bytes.NewReader(raw)), "  ")
	if err != nil {
		return err
	}
	fmt.Fprintf(&t.b, "\n  %s = jsonencode(%s)\n", attribute, v)
	return nil
}

// expression is the decoder's next value in HCL, in its own order, as terraform fmt
// writes it.
func expression(d *json.Decoder, indent string) (string, error) {
	token, err := d.Token()
	if err != nil {
		return "", err
	}
	open, ok := token.(json.Delim)
	if !ok {
		return literal(fmt.Sprint(token)), nil // policies hold text alone
	}
	var keys, values []string
	for d.More() {
		if open == '{' {
			key, err := d.Token()
			if err != nil {
				return "", err
			}
			keys = append(keys, literal(fmt.Sprint(key)))
		}
		v, err := expression(d, indent+"  ")
		if err != nil {
			return "", err
		}
		values = append(values, v)
	}
	end, err := d.Token()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString(open.String() + "\n")
	for n, v := range values {
		b.WriteString(indent + "  ")
		if open == '{' {
			fmt.Fprintf(&b, "%-*s = %s\n", column(keys, values, n), keys[n], v)
		} else {
			b.WriteString(v + ",\n")
		}
	}
	return b.String() + indent + fmt.Sprint(end), nil
}

// column is how wide the n-th key is made: those of neighbours on lines of their own
// stand in one column.
func column(keys, values []string, n int) int {
	short := func(i int) bool { return i >= 0 && i < len(values) && !strings.Contains(values[i], "\n") }
	if !short(n) {
		return 0
	}
	first, last := n, n
	for short(first - 1) {
		first--
	}
	for short(last + 1) {
		last++
	}
	width := 0
	for _, key := range keys[first : last+1] {
		width = max(width, utf8.RuneCountInString(key))
	}
	return width
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
