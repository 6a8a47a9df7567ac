package statickey

import (
	"slices"
	"strings"

	"github.com/podpass-io/podpass/federation/environ"
)

// setting is a leaf whose name means something beside others of its group.
type setting struct {
	*leaf
	text string
	used *bool
}

// longest text that is taken for a setting.
const longest = 4096

// told are parts of names of which the text is worth a second look.
var told = []string{"client", "tenant", "secret", "password", "account", "username", "token", "key", "appid", "sas"}

// setting keeps a leaf that has a telling name and a text that may be a value.
func (f *finder) setting(l *leaf) {
	text := strings.TrimSpace(l.text)
	if text == "" || len(text) > longest {
		return
	}
	telling := func(name string) bool {
		p := plain(name)
		return slices.ContainsFunc(told, func(word string) bool { return strings.Contains(p, word) })
	}
	if slices.ContainsFunc(l.names, telling) {
		f.settings = append(f.settings, setting{leaf: l, text: text, used: new(bool)})
	}
}

// role is what a setting names, if it is not secret.
func (s setting) role() (Role, bool) {
	switch {
	case *s.used:
		return "", false
	case s.named(clientName) && uuid(s.text):
		return ClientID, true
	case s.named(tenantName) && uuid(s.text):
		return TenantID, true
	case s.named(storageName) && accountName(s.text):
		return AccountName, true
	}
	return "", false
}

func (s setting) named(ok func(string) bool) bool { return slices.ContainsFunc(s.names, ok) }

func clientName(name string) bool {
	p := plain(name)
	return strings.HasSuffix(p, "clientid") || strings.HasSuffix(p, "appid") || strings.HasSuffix(p, "applicationid")
}

func tenantName(name string) bool {
	p := plain(name)
	return strings.HasSuffix(p, "tenantid") || strings.HasSuffix(p, "tenant")
}

func storageName(name string) bool {
	p := plain(name)
	return strings.Contains(p, "account") && !strings.Contains(p, "key") && (strings.Contains(p, "storage") || strings.HasSuffix(p, "accountname"))
}

// accountName is whether s may name a storage account: 3 to 24 lower-case letters and digits.
func accountName(s string) bool {
	return len(s) >= 3 && len(s) <= 24 && all(s, func(b byte) bool { return 'a' <= b && b <= 'z' || '0' <= b && b <= '9' })
}

func uuid(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		b := s[i]
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (b == '-') {
			return false
		} else if !dash && ('0' > b || b > '9') && ('a' > b || b > 'f') && ('A' > b || b > 'F') {
			return false
		}
	}
	return true
}

// kinds are those of the variables that environ has as keys and that hold nothing else:
// what others hold has a shape of its own, or is temporary.
var kinds = map[string]Kind{
	"AWS_SECRET_ACCESS_KEY": AWSAccessKey, "AWS_SECRET_KEY": AWSAccessKey,
	"AZURE_CLIENT_SECRET": AzureClientSecret, "ARM_CLIENT_SECRET": AzureClientSecret,
	"AZURE_PASSWORD": AzurePassword, "AZURE_STORAGE_KEY": AzureStorageKey,
}

// tableKey takes a setting for a key that has the name of one, whatever its shape.
func (f *finder) tableKey(s setting) {
	name := firstOf(s.names, func(name string) bool { return kinds[name] != "" })
	if name == "" || *s.used || placeholder(s.text) || f.has(s.text) || f.short[s.text] || accessKeyID(s.text) || f.sessionBeside(s.leaf) {
		return
	}
	for _, v := range environ.Variables() {
		if v.Meaning == environ.Key && v.Name == name {
			f.add(Key{Cloud: v.Cloud, Kind: kinds[name], Confidence: Possible, Parts: []string{s.part}, secret: s.text,
				Evidence: []string{"it is kept or read as " + name + ", and its shape is not that of the cloud's own: it may be of another service"}})
		}
	}
}

// placeholders are parts of texts that somebody is to replace.
var placeholders = []string{"changeme", "change-me", "change_me", "replace", "example", "placeholder", "dummy", "redacted", "todo", "your-", "your_", "yourkey", "xxxx", "****", "....", "enc[", "${", "$(", "{{", "<", "insert"}

// placeholder is whether a text stands for a secret rather than being one.
func placeholder(s string) bool {
	if len(s) < 8 || strings.Count(s, s[:1]) == len(s) {
		return true
	}
	low := strings.ToLower(s)
	return slices.ContainsFunc(placeholders, func(p string) bool { return strings.Contains(low, p) })
}
