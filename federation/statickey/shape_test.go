package statickey

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestShapes holds each test of a shape to what is just one and just none.
func TestShapes(t *testing.T) {
	secret := "aZ3/bY4+cX5dwV6ueU7t" + "fT8sgS9rhR0qiQ1pjPkN"
	for name, test := range map[string]struct {
		is   func(string) bool
		yes  []string
		none []string
	}{
		"access key's ID": {accessKeyID,
			[]string{"AKIA" + "QWERTYUIOPASDF27", "ASIA" + "QWERTYUIOPASDF27", "GOOG" + "QWERTYUIOP0123456789", "GOOG" + "1E" + strings.Repeat("A9", 27) + "Z"},
			[]string{"AKIA" + "QWERTYUIOPASDF2", "AKIA" + "QWERTYUIOPASDF277", "AKIA" + "QWERTYUIOPASDF28", "AKIA" + "QWERTYUIOPASDF21", "AKIA" + "qwertyuiopasdf27", "AROA" + "QWERTYUIOPASDF27",
				"AKIA" + "IOSFODNN7EXAMPLE", "GOOG" + "QWERTYUIOP012345678", "GOOG" + "QWERTYUIOP01234567890", "GOOG" + "QWERTYUIOP01234567-9", "GOOG" + "qwertyuiop0123456789", ""}},
		"access key's secret": {accessKeySecret,
			[]string{secret, strings.ReplaceAll(secret, "/", "a")},
			[]string{"0123456789abcdef0123456789ABCDEF01234567", strings.ToLower(secret), strings.ToUpper(secret), strings.NewReplacer("3", "x", "4", "y", "5", "z", "6", "l", "7", "w", "8", "m", "9", "v", "0", "n", "1", "o").Replace(secret),
				"aZ3" + strings.Repeat("a", 37), strings.Replace(secret, "bY4+cX5", "EXAMPLE", 1), "a/b/C/d/e/f/g/h/i/jkl0mnopqrstuvwxyzABCDE", strings.Replace(secret, "b", ".", 1)}},
		"UUID": {uuid,
			[]string{client, strings.ToUpper(client)},
			[]string{client[1:], client + "0", strings.Replace(client, "-", "0", 1), strings.Replace(client, "4a3e", "4a-e", 1), strings.Replace(client, "4a3e", "4g3e", 1), strings.Replace(client, "4a3e", "4G3e", 1), strings.Replace(client, "4a3e", "4/3e", 1)}},
		"storage account": {accountName,
			[]string{"abc", "a23", "z09", strings.Repeat("a", 24)},
			[]string{"ab", strings.Repeat("a", 25), "Abc", "a-c", "a_c", "a/b", "a:b", "a{b", "a`b"}},
		"placeholder": {placeholder,
			[]string{"", "short", "xxxxxxxxxx", "CHANGEME-please", "<your secret>", "${SECRET_KEY}", "{{ .Values.key }}", "1111111111", "my-Example-key", "ENC[AES256_GCM,data:abc]"},
			[]string{"correct horse", "s3cretpassword", "11111112"}},
		"readable": {func(s string) bool { return readable([]byte(s)) },
			[]string{"a text\nof\ttwo lines\r\n", "ünï"},
			[]string{"a\x00b", "a\x1fb", "a\x7fb", "\xff\xfe"}},
		"assigns": {assigns,
			[]string{"a=b", "a: b", "name=value=x"},
			[]string{"https://example.com/x", "=b", "a=", "a", "A=b;C=d", strings.Repeat("a", 80) + "=b"}},
	} {
		for _, s := range test.yes {
			if !test.is(s) {
				t.Errorf("%s: %q is none", name, s)
			}
		}
		for _, s := range test.none {
			if test.is(s) {
				t.Errorf("%s: %q is one", name, s)
			}
		}
	}
}

// TestAssignment: a line's name and its value, as ini, properties, YAML and shells have it.
func TestAssignment(t *testing.T) {
	for line, want := range map[string]string{
		"a = b":                        "a|b",
		"a=b=c":                        "a|b=c",
		"a: \"b c\"":                   "a|b c",
		"a: 'b'":                       "a|b",
		"\"a\": \"b\"":                 "a|b",
		"a: \"b":                       "a|\"b",
		"a: \"":                        "a|\"",
		"export A=b":                   "A|b",
		"- a.b/c-d_e: f":               "a.b/c-d_e|f",
		"spring.cloud.x=y":             "spring.cloud.x|y",
		"two words: x":                 "two words|x",
		"a=":                           "a|",
		"=b":                           "none",
		"no setting":                   "none",
		"a{b}=c":                       "none",
		"\"\": x":                      "none",
		strings.Repeat("a", 81) + "=b": "none",
		strings.Repeat("a", 80) + "=b": strings.Repeat("a", 80) + "|b",
	} {
		got := "none"
		if name, value, ok := assignment(line); ok {
			got = name + "|" + value
		}
		if got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

// TestParts: which values hold the secret, and which what belongs to it; each wherever it
// stands, and what is beside it not.
func TestParts(t *testing.T) {
	id, secret, app := idOf("AKIA", 1), secretOf(), clientSecret()
	_, key, ends := certificate(t)
	cert, _, _ := certificate(t)
	for name, test := range map[string]struct {
		values []Named
		parts  []string
		ids    []string
		id     string
		where  string
	}{
		"a pair":             {values("i", id, "s", secret, "region", "eu"), []string{"s"}, []string{"i"}, id, "000000000001"},
		"twice":              {values("i", id, "s", secret, "t", secret, "j", id), []string{"s", "t"}, []string{"i", "j"}, id, "000000000001"},
		"in a file, and not": {values("file", "[x]\naws_access_key_id="+id+"\naws_secret_access_key="+secret, "s", secret), []string{"file", "s"}, nil, id, "000000000001"},
		"an application":     {values("AZURE_CLIENT_ID", client, "AZURE_TENANT_ID", tenant, "AZURE_CLIENT_SECRET", app, "other", "x"), []string{"AZURE_CLIENT_SECRET"}, []string{"AZURE_CLIENT_ID", "AZURE_TENANT_ID"}, client, tenant},
		"a certificate":      {values("AZURE_CLIENT_ID", client, "AZURE_TENANT_ID", tenant, "azure-cert.pem", cert+key), []string{"azure-cert.pem"}, []string{"AZURE_CLIENT_ID", "AZURE_TENANT_ID"}, client, tenant},
		"a storage account":  {values("storageAccountName", "shopfiles", "storageAccountKey", b64(draw(letters, 64))), []string{"storageAccountKey"}, []string{"storageAccountName"}, "shopfiles", ""},
	} {
		t.Run(name, func(t *testing.T) {
			found := Find(test.values)
			if len(found.Keys) != 1 || len(found.IDs) > 0 {
				t.Fatalf("%v", found)
			}
			k := found.Keys[0]
			if diff := cmp.Diff([]any{test.parts, append([]string{}, test.ids...), test.id, test.where}, []any{k.Parts, append([]string{}, k.IDParts...), k.ID, k.Account}); diff != "" {
				t.Error(diff)
			}
			if k.Kind == AzureClientCertificate && !k.Ends.Equal(ends) {
				t.Errorf("it ends %s, want %s", k.Ends, ends)
			}
		})
	}
	// Two applications in two objects: the IDs beside each are its own.
	other, otherClient := clientSecret(), strings.Replace(client, "5b", "6c", 1)
	list := Find(values("c.json", `[{"clientId":"`+client+`","tenantId":"`+tenant+`","clientSecret":"`+app+`","x":"y"},{"clientId":"`+otherClient+`","tenantId":"`+tenant+`","clientSecret":"`+other+`","x":"y"}]`)).Keys
	if len(list) != 2 || list[0].ID == list[1].ID || list[0].ID == "" || list[1].ID == "" {
		t.Errorf("%v", list)
	}
}

// TestMerge: what is found twice is one, with what each says, and the surer confidence.
func TestMerge(t *testing.T) {
	end := time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC)
	f := &finder{}
	f.add(Key{Kind: AzureSAS, Confidence: Likely, Evidence: []string{"name"}, Parts: []string{"a"}, secret: "s"})
	f.add(Key{Kind: AzureSAS, Confidence: Certain, Evidence: []string{"shape"}, ID: "files", Account: "t", KeyID: "k", Ends: end, Parts: []string{"b"}, secret: "s"})
	f.add(Key{Kind: AzureSAS, Confidence: Possible, Evidence: []string{"guess"}, ID: "other", Parts: []string{"a"}, secret: "s"})
	got := f.found().Keys
	if len(got) != 1 {
		t.Fatalf("%v", got)
	}
	k := got[0]
	want := []any{Certain, []string{"shape"}, "files", "t", "k", end, []string{"a", "b"}}
	if diff := cmp.Diff(want, []any{k.Confidence, k.Evidence, k.ID, k.Account, k.KeyID, k.Ends, k.Parts}); diff != "" {
		t.Error(diff)
	}
	f.forget("s")
	f.add(Key{secret: "s"})
	if got := f.found().Keys; len(got) > 0 {
		t.Errorf("forgotten, and still there: %v", got)
	}
}

// TestBounds: a value that would cost too much is looked at in part, and soon.
func TestBounds(t *testing.T) {
	id, secret := idOf("AKIA", 1), secretOf()
	pair := "aws_access_key_id=" + id + "\naws_secret_access_key=" + secret + "\n"
	deep := strings.Repeat("[", 5000) + strings.Repeat("]", 5000)
	nested := pair
	for range maxDepth + 1 {
		nested = b64(nested)
	}
	for name, test := range map[string]struct {
		value string
		keys  int
	}{
		"behind much text":    {strings.Repeat("a line of text\n", 50_000) + pair, 1},
		"deep JSON":           {deep + pair, 1},
		"base64 as deep":      {wrapped(pair, maxDepth-1), 1},
		"base64 beyond":       {nested, 0},
		"short, in lines":     {"0000000000000000000\n00_0", 0},
		"shorter, in lines":   {"user: some one\r\nabcd\r\nef", 0},
		"many lines":          {strings.Repeat("a: b\n", 300_000) + pair, 1},
		"a bomb of gzip":      {zip(strings.Repeat("\x00", maxText*4)), 0},
		"a bomb, many braces": {strings.Repeat(`{"type":"service_account",`, 20_000), 0},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			if got := len(Find(values("v", test.value)).Keys); got != test.keys {
				t.Errorf("%d keys, want %d", got, test.keys)
			}
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}

func wrapped(s string, times int) string {
	for range times {
		s = b64(s)
	}
	return s
}
