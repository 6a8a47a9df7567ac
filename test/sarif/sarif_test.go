package sarif

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	_ "github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif" // whose source has the schema
	"github.com/xeipuuv/gojsonschema"
)

// schema reads the schema from the source of go-sarif, which keeps it to itself.
func schema(t *testing.T) *gojsonschema.Schema {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/owenrumney/go-sarif/v3").Output()
	if err != nil {
		t.Fatalf("find go-sarif: %v", err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(strings.TrimSpace(string(dir)), "pkg/report/v210/sarif/schema.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	ast.Inspect(file, func(n ast.Node) bool {
		if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
			text, err = strconv.Unquote(l.Value)
		}
		return true
	})
	if err != nil || !strings.Contains(text, `"title": "Static Analysis Results Format (SARIF) Version 2.1.0 JSON Schema"`) {
		t.Fatalf("no schema of SARIF 2.1.0 there: %v", err)
	}
	s, err := gojsonschema.NewSchema(gojsonschema.NewStringLoader(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// problems are what the schema has against a document.
func problems(t *testing.T, s *gojsonschema.Schema, document []byte) []string {
	t.Helper()
	result, err := s.Validate(gojsonschema.NewBytesLoader(document))
	if err != nil {
		t.Fatalf("%v: %s", err, document)
	}
	var list []string
	for _, e := range result.Errors() {
		list = append(list, e.String())
	}
	return list
}

const (
	role = `{"Role": {"RoleName": "orders", "Arn": "arn:aws:iam::111122223333:role/orders", "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [
	{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/oidc.example.com"},
	"Condition": {"StringEquals": {"oidc.example.com:sub": "system:serviceaccount:shop:orders", "oidc.example.com:aud": "sts.amazonaws.com"}}}]}}}`
	// broad lets each ServiceAccount in, for each audience.
	broad = `{"Role": {"RoleName": "broad", "Arn": "arn:aws:iam::111122223333:role/broad", "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [
	{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/oidc.example.com"}}]}}}`
)

// TestSARIF: what each command prints is SARIF, with findings of each severity and without.
func TestSARIF(t *testing.T) {
	s, dir := schema(t), t.TempDir()
	binary := filepath.Join(dir, "podpass")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./cmd/podpass")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build podpass: %v\n%s", err, out)
	}
	for name, content := range map[string]string{"role.json": role, "broad.json": broad, "kubeconfig": "{}"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	check := "trust check role.json -n shop --issuer https://oidc.example.com "
	for name, test := range map[string]struct {
		args   string
		status int
		has    []string
	}{
		"a role that is too broad":   {strings.Replace(check, "role", "broad", 1) + "--subject system:serviceaccount:shop:web --audience sts.amazonaws.com", 1, []string{`"level": "warning"`, `"ruleId": "WI222"`}},
		"a token that is refused":    {check + "--subject system:serviceaccount:shop:web --audience sts.amazonaws.com", 1, []string{`"ruleId": "WI211"`}},
		"a token that is let in":     {check + "--subject system:serviceaccount:shop:orders --audience sts.amazonaws.com", 0, []string{`"results": []`}},
		"no cluster that is reached": {"doctor -n shop --kubeconfig kubeconfig --context none", 2, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			cmd := exec.CommandContext(t.Context(), binary, append(strings.Fields(test.args), "-o", "sarif")...)
			cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &stdout, &stderr
			cmd.Env = []string{"HOME=" + dir}
			err := cmd.Run()
			status := 0
			if exited, ok := errors.AsType[*exec.ExitError](err); ok {
				status = exited.ExitCode()
			}
			if status != test.status {
				t.Fatalf("exit status %d, want %d: %v\n%s%s", status, test.status, err, stdout.String(), stderr.String())
			}
			if test.has == nil && stdout.Len() == 0 {
				return // nothing was looked at
			}
			for _, p := range problems(t, s, stdout.Bytes()) {
				t.Error(p)
			}
			for _, has := range test.has {
				if !strings.Contains(stdout.String(), has) {
					t.Errorf("no %s in %s", has, stdout.String())
				}
			}
		})
	}
}

// TestSchemaRefuses: the schema, as it is read here, does refuse what is no SARIF.
func TestSchemaRefuses(t *testing.T) {
	s := schema(t)
	const sound = `{"$schema":"https://json.schemastore.org/sarif-2.1.0.json","version":"2.1.0","runs":[{"tool":{"driver":{"name":"podpass","rules":[{"id":"WI001"}]}},"results":[{"ruleId":"WI001","ruleIndex":0,"level":"note","message":{"text":"m"}}]}]}`
	if got := problems(t, s, []byte(sound)); len(got) > 0 {
		t.Errorf("what is sound is refused: %q", got)
	}
	for from, to := range map[string]string{
		`"version":"2.1.0"`: `"version":"2.0.0"`, `"level":"note"`: `"level":"fatal"`, `"message":{"text":"m"}`: `"message":{}`, `"name":"podpass",`: ``,
		`"ruleIndex":0`: `"ruleIndex":-2`, `"ruleId"`: `"rule_id"`,
	} {
		document := strings.Replace(sound, from, to, 1)
		if !json.Valid([]byte(document)) || document == sound {
			t.Fatalf("%s: not another document", to)
		}
		if got := problems(t, s, []byte(document)); len(got) == 0 {
			t.Errorf("%s is taken", to)
		}
	}
}
