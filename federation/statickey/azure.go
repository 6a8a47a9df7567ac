package statickey

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// azureText finds what the shape of a text tells alone: client secrets, storage keys,
// connection strings, signatures, certificates.
func (f *finder) azureText(l *leaf) {
	f.clientSecrets(l)
	f.storageKeys(l)
	f.connectionStrings(l)
	f.signatures(l)
	f.certificate(l)
}

// clientSecrets have "Q~" after three characters and a digit:
// https://learn.microsoft.com/purview/sit-defn-azure-ad-client-secret.
func (f *finder) clientSecrets(l *leaf) {
	for _, word := range wordsAround(l.text, "Q~", clientSecretByte) {
		at := strings.Index(word, "Q~")
		if at != 4 || word[3] < '0' || word[3] > '9' || len(word) < 37 || len(word) > 40 || placeholder(word) {
			continue
		}
		f.add(Key{Cloud: "azure", Kind: AzureClientSecret, Confidence: Certain, Parts: []string{l.part}, secret: word,
			Evidence: []string{"it has the shape of an application's client secret, with its mark Q~"}})
	}
}

func clientSecretByte(b byte) bool {
	return letter(rune(b)) || strings.IndexByte("_.~-", b) >= 0
}

// wordsAround are the longest words of bytes that ok takes around each mark.
func wordsAround(text, mark string, ok func(byte) bool) []string {
	var words []string
	for from := 0; ; {
		at := strings.Index(text[from:], mark)
		if at < 0 {
			return words
		}
		start, end := from+at, from+at+len(mark)
		for start > 0 && ok(text[start-1]) {
			start--
		}
		for end < len(text) && ok(text[end]) {
			end++
		}
		words = append(words, text[start:end])
		from = end
	}
}

// azuriteAccount is the account of the emulator, whose key everybody knows.
const azuriteAccount = "devstoreaccount1"

// storageKeys with the mark that Azure puts into the keys that it makes since 2021: at
// the 76th of 88 characters.
func (f *finder) storageKeys(l *leaf) {
	for _, mark := range []struct{ text, of string }{{"+ASt", "a storage account"}, {"ACDb", "Cosmos DB"}, {"+ABa", "a Batch account"}} {
		for _, word := range wordsAround(l.text, mark.text, base64Byte) {
			if len(word) == 88 && word[76:80] == mark.text && length(word) == 64 {
				f.add(Key{Cloud: "azure", Kind: AzureStorageKey, Confidence: Certain, Parts: []string{l.part}, secret: word,
					Evidence: []string{"a key of " + mark.of + ", with the mark that Azure puts into them"}})
			}
		}
	}
}

func base64Byte(b byte) bool { return letter(rune(b)) || b == '+' || b == '/' || b == '=' }

// length is how many bytes s is in base64; 0: it is not base64.
func length(s string) int {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return 0
	}
	return len(b)
}

// connectionStrings are lists of Name=value with semicolons.
func (f *finder) connectionStrings(l *leaf) {
	if !strings.Contains(l.text, "AccountKey=") && !strings.Contains(l.text, "SharedAccessKey=") {
		return
	}
	for line := range strings.Lines(l.text) {
		if strings.Count(line, ";") > 0 {
			f.connectionString(l, line)
		}
	}
}

func (f *finder) connectionString(l *leaf, line string) {
	settings := map[string]string{}
	for part := range strings.SplitSeq(strings.Trim(strings.TrimSpace(line), `"'`), ";") {
		name, value, _ := strings.Cut(part, "=")
		// The first may have the name of the setting before it.
		if i := strings.LastIndexAny(name, ` :"'`); i >= 0 {
			name = name[i+1:]
		}
		settings[name] = strings.Trim(value, `"',`)
	}
	key := Key{Cloud: "azure", Confidence: Certain, Parts: []string{l.part}}
	switch {
	case length(settings["AccountKey"]) == 64 && settings["AccountName"] != azuriteAccount && !azuriteKey(settings["AccountKey"]):
		key.Kind, key.ID, key.secret = AzureStorageKey, settings["AccountName"], settings["AccountKey"]
		if key.ID == "" {
			key.ID = host(settings["AccountEndpoint"])
		}
		if key.ID == "" {
			return // a part of one
		}
		key.Evidence = []string{"a connection string, with a key of 64 bytes"}
	case length(settings["SharedAccessKey"]) >= 32:
		key.Kind, key.secret = AzureSharedAccessKey, settings["SharedAccessKey"]
		key.ID = strings.Trim(host(settings["Endpoint"])+settings["HostName"]+"/"+settings["SharedAccessKeyName"], "/")
		key.Evidence = []string{"a connection string, with a shared access key"}
	default:
		return
	}
	f.add(key)
}

func host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// signatures are shared access signatures, whose "sig" is an HMAC-SHA256:
// https://learn.microsoft.com/rest/api/storageservices/create-service-sas.
func (f *finder) signatures(l *leaf) {
	for _, word := range wordsAround(l.text, "sig=", signatureByte) {
		address, query, ok := strings.Cut(word, "?")
		if !ok {
			address, query = "", word
		}
		q, err := url.ParseQuery(strings.TrimPrefix(query, "SharedAccessSignature"))
		if err != nil || length(q.Get("sig")) != 32 {
			continue
		}
		_, dated := date(q.Get("sv"), time.DateOnly)
		if !dated && (q.Get("skn") == "" || q.Get("sr") == "") {
			continue
		}
		k := Key{Cloud: "azure", Kind: AzureSAS, Confidence: Certain, Parts: []string{l.part}, secret: q.Get("sig"),
			Evidence: []string{"a shared access signature, whose sig is of 32 bytes"}}
		k.ID, _, _ = strings.Cut(host(address), ".")
		for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z", time.DateOnly} {
			if t, ok := date(q.Get("se"), layout); ok {
				k.Ends = t
			}
		}
		if n, err := strconv.ParseInt(q.Get("se"), 10, 64); err == nil {
			k.Ends = time.Unix(n, 0).UTC()
		}
		f.add(k)
	}
}

func signatureByte(b byte) bool {
	return b > ' ' && b != '"' && b != '\'' && b != '<' && b != '>' && b < 0x7f
}

func date(s, layout string) (time.Time, bool) {
	t, err := time.Parse(layout, s)
	return t.UTC(), err == nil
}

// certificate finds private keys that are Azure's by their names: those of servers look
// the same.
func (f *finder) certificate(l *leaf) {
	if !slices.ContainsFunc(l.names, azureCertificateName) {
		return
	}
	k := Key{Cloud: "azure", Kind: AzureClientCertificate, Confidence: Likely, Parts: []string{l.part}, group: l.group,
		Evidence: []string{"it is kept or read as " + firstOf(l.names, azureCertificateName)}}
	if der, ok := privateKey(l.text); ok {
		k.secret, k.Ends = string(der), certificateEnds(l.text)
		k.Evidence = append(k.Evidence, "its private key parses")
	} else if pfx(l.text) {
		k.secret = l.text
		k.Evidence = append(k.Evidence, "it has the shape of a PFX file")
	} else {
		return
	}
	f.add(k)
}

func azureCertificateName(name string) bool {
	p := plain(name)
	return strings.Contains(p, "clientcertificatepath") || strings.Contains(p, "cert") && (strings.Contains(p, "azure") || strings.Contains(p, "arm"))
}

// certificateEnds is when the first certificate of a PEM text ends.
func certificateEnds(text string) time.Time {
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return time.Time{}
		}
		if c, err := x509.ParseCertificate(block.Bytes); err == nil {
			return c.NotAfter.UTC()
		}
	}
}

// pfx is whether bytes are a PKCS #12 file: a sequence that starts with version 3,
// RFC 7292, section 4.
func pfx(text string) bool {
	return len(text) > 500 && text[0] == 0x30 && strings.Contains(text[:8], "\x02\x01\x03")
}

// azure joins what only names beside each other tell: an application's secret of any
// shape, a person's password, a storage account's key without its mark; and gives each key
// the IDs beside it.
func (f *finder) azure() {
	for _, s := range f.settings {
		if f.has(s.text) || placeholder(s.text) {
			continue
		}
		switch {
		case s.named(clientSecretName) && len(s.text) >= 16 && !uuid(s.text) && f.beside(s, clientName) != nil && f.beside(s, tenantName) != nil:
			f.add(Key{Cloud: "azure", Kind: AzureClientSecret, Confidence: Likely, Parts: []string{s.part}, secret: s.text,
				Evidence: []string{"it is kept as " + firstOf(s.names, clientSecretName) + ", beside IDs of a client and a tenant"}})
		case s.named(storageKeyName) && length(s.text) == 64 && f.azuriteBeside(s) == nil && !azuriteKey(s.text):
			f.add(Key{Cloud: "azure", Kind: AzureStorageKey, Confidence: Likely, Parts: []string{s.part}, secret: s.text,
				Evidence: []string{"it is kept or read as " + firstOf(s.names, storageKeyName), "it is of 64 bytes, as keys of storage accounts are"}})
		}
	}
	for i := range f.keys {
		f.identify(&f.keys[i])
	}
}

func clientSecretName(name string) bool { return strings.HasSuffix(plain(name), "clientsecret") }

func storageKeyName(name string) bool {
	p := plain(name)
	return strings.Contains(p, "key") && (strings.Contains(p, "storage") || strings.Contains(p, "accountkey"))
}

func (f *finder) azuriteBeside(s setting) *setting {
	return f.besideText(s, func(other setting) bool { return other.text == azuriteAccount })
}

// azuriteKey tells the emulator's key by its first characters: it is in every tutorial.
func azuriteKey(s string) bool { return strings.HasPrefix(s, "Eby8vdM02xNOcqFlqUwJPLlmEtlCDX") }

// beside is the one setting of a name in the group of another, with an ID as its text.
func (f *finder) beside(s setting, name func(string) bool) *setting {
	return f.besideText(s, func(other setting) bool { return other.named(name) && uuid(other.text) })
}

func (f *finder) besideText(s setting, ok func(setting) bool) *setting {
	for i := range f.settings {
		if other := &f.settings[i]; other.group == s.group && ok(*other) {
			return other
		}
	}
	return nil
}

// identify gives a key of Azure's the IDs that stand beside it.
func (f *finder) identify(k *Key) {
	own := setting{leaf: &leaf{group: k.group}}
	if i := slices.IndexFunc(f.settings, func(s setting) bool { return s.text == k.secret }); i >= 0 {
		own = f.settings[i]
	} else if k.Kind != AzureClientCertificate {
		return
	}
	take := func(into *string, found *setting) {
		if found == nil || *into != "" {
			return
		}
		*into, *found.used = found.text, true
		k.IDParts = append(k.IDParts, found.part)
	}
	switch k.Kind {
	case AzureClientSecret, AzureClientCertificate:
		take(&k.ID, f.beside(own, clientName))
		take(&k.Account, f.beside(own, tenantName))
	case AzureStorageKey:
		take(&k.ID, f.besideText(own, func(o setting) bool { return o.named(storageName) && accountName(o.text) }))
	default: // it says itself whose it is
	}
}
