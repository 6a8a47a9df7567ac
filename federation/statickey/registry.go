package statickey

import (
	"encoding/base64"
	"encoding/json"
	"strings"
)

// login is how a docker configuration signs in at a registry.
type login struct {
	Username string `json:"username"`
	Password string `json:"password"`
	Auth     string `json:"auth"`
}

// registry finds what a docker configuration holds of the clouds' registries. A password
// of ECR ends after 12 hours, an access token sooner; a key file is a key.
func (f *finder) registry(l *leaf) {
	if !strings.Contains(l.text, `"auth`) && !strings.Contains(l.text, `"password"`) {
		return
	}
	var config struct {
		Auths map[string]login `json:"auths"`
	}
	if json.Unmarshal([]byte(l.text), &config) != nil {
		return
	}
	if config.Auths == nil { // .dockercfg has the registries alone
		if !l.hasAny(".dockercfg") || json.Unmarshal([]byte(l.text), &config.Auths) != nil {
			return
		}
	}
	for server, login := range config.Auths {
		if b, err := base64.StdEncoding.DecodeString(login.Auth); err == nil && login.Password == "" {
			login.Username, login.Password, _ = strings.Cut(string(b), ":")
		}
		f.login(l, strings.TrimPrefix(server, "https://"), login)
	}
}

// nobody is the user of ACR that has a refresh token, which ends after hours.
const nobody = "00000000-0000-0000-0000-000000000000"

func (f *finder) login(l *leaf, server string, in login) {
	name, _, _ := strings.Cut(server, "/")
	k := Key{Confidence: Certain, Parts: []string{l.part}, secret: in.Password, Evidence: []string{"a docker configuration signs in with it at " + name}}
	switch {
	case strings.HasSuffix(name, ".pkg.dev") || name == "gcr.io" || strings.HasSuffix(name, ".gcr.io"):
		text := in.Password
		if in.Username == "_json_key_base64" {
			b, err := base64.StdEncoding.DecodeString(text)
			if err != nil {
				return
			}
			text = string(b)
		}
		f.google(&leaf{part: l.part, group: l.group, text: text})
	case !strings.HasSuffix(name, ".azurecr.io") || placeholder(in.Password) || in.Username == nobody:
	case uuid(in.Username):
		k.Cloud, k.Kind, k.ID = "azure", AzureClientSecret, in.Username
		f.add(k)
	default:
		k.Cloud, k.Kind, k.ID = "azure", RegistryPassword, name+"/"+in.Username
		f.add(k)
	}
}
