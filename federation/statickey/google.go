package statickey

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"slices"
	"strings"
)

// googleFile is what Google's credential files have, as far as it matters here.
type googleFile struct {
	Type         string `json:"type"`
	ProjectID    string `json:"project_id"`
	PrivateKeyID string `json:"private_key_id"`
	PrivateKey   string `json:"private_key"`
	ClientEmail  string `json:"client_email"`
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	RefreshToken string `json:"refresh_token"`
}

// mostObjects bounds how many objects of one text are tried.
const mostObjects = 100

// google finds credential files, alone or within a text. What is without a secret of its
// own, as an external account, is none.
func (f *finder) google(l *leaf) {
	for _, mark := range []string{`"service_account"`, `"authorized_user"`} {
		rest := l.text
		for range mostObjects {
			at := strings.Index(rest, mark)
			if at < 0 {
				break
			}
			if file, ok := objectAround(rest, at); ok {
				f.googleFile(l, file)
			}
			rest = rest[at+len(mark):]
		}
	}
}

// objectAround decodes the innermost object of a text that has what stands at a place.
func objectAround(text string, at int) (googleFile, bool) {
	start := strings.LastIndexByte(text[:at], '{')
	if start < 0 {
		return googleFile{}, false
	}
	var file googleFile
	if json.NewDecoder(strings.NewReader(text[start:])).Decode(&file) != nil {
		return googleFile{}, false
	}
	return file, true
}

func (f *finder) googleFile(l *leaf, file googleFile) {
	switch {
	case file.Type == "service_account" && file.ClientEmail != "":
		der, ok := privateKey(file.PrivateKey)
		if !ok {
			return // a sample, or what is left of one
		}
		f.add(Key{Cloud: "gcp", Kind: GCPServiceAccountKey, ID: file.ClientEmail, KeyID: file.PrivateKeyID, Account: file.ProjectID, Confidence: Certain,
			Parts: []string{l.part}, secret: string(der), Evidence: []string{"a key file of a Google service account", "its private key parses"}})
	case file.Type == "authorized_user" && !placeholder(file.RefreshToken):
		f.add(Key{Cloud: "gcp", Kind: GCPAuthorizedUser, ID: file.ClientID, Confidence: Certain,
			Parts: []string{l.part}, secret: file.RefreshToken, Evidence: []string{"credentials of a person's, with a refresh token, which gcloud writes for that person alone"}})
	}
}

// privateKey is the first private key of a PEM text, in DER, if it parses.
func privateKey(text string) (der []byte, ok bool) {
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil, false
		}
		if !strings.HasSuffix(block.Type, "PRIVATE KEY") {
			continue
		}
		for _, parse := range []func([]byte) error{
			func(b []byte) error { _, err := x509.ParsePKCS8PrivateKey(b); return err },
			func(b []byte) error { _, err := x509.ParsePKCS1PrivateKey(b); return err },
			func(b []byte) error { _, err := x509.ParseECPrivateKey(b); return err },
		} {
			if parse(block.Bytes) == nil {
				return block.Bytes, true
			}
		}
		return nil, false
	}
}

// bedrock finds the API keys of Amazon Bedrock that do not end, which start with ABSK; the
// others are temporary. https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html
func (f *finder) bedrock(l *leaf) {
	for rest := l.text; ; {
		at := strings.Index(rest, "ABSK")
		if at < 0 {
			return
		}
		word := rest[at:]
		if end := strings.IndexFunc(word, func(r rune) bool { return !letter(r) && r != '+' && r != '/' && r != '=' }); end >= 0 {
			word = word[:end]
		}
		if inner, ok := unbase64(strings.TrimPrefix(word, "ABSK")); ok && strings.HasPrefix(inner, "BedrockAPIKey-") {
			id, _, _ := strings.Cut(inner, ":")
			f.add(Key{Cloud: "aws", Kind: AWSBedrockKey, ID: id, Confidence: Certain, Parts: []string{l.part}, secret: word, Evidence: []string{"a long-term API key of Amazon Bedrock"}})
		}
		rest = rest[at+4:]
	}
}

// hasAny is whether a leaf is named by one of names.
func (l *leaf) hasAny(names ...string) bool {
	return slices.ContainsFunc(l.names, func(n string) bool { return slices.Contains(names, n) })
}
