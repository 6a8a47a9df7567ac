package statickey

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// kubernetes finds ServiceAccount tokens that do not end, and kubeconfigs.
func (f *finder) kubernetes(l *leaf) {
	for _, word := range wordsAround(l.text, "eyJ", tokenByte) {
		f.serviceAccountToken(l, word)
	}
	if strings.Contains(l.text, "clusters") && strings.Contains(l.text, "users") && strings.Contains(l.text, "Config") {
		f.kubeconfig(l)
	}
}

func tokenByte(b byte) bool { return letter(rune(b)) || b == '-' || b == '_' || b == '.' }

// claims of a token, as far as they matter here.
type claims struct {
	Issuer  string `json:"iss"`
	Subject string `json:"sub"`
	Expires int64  `json:"exp"`
}

// legacyIssuer is that of the tokens that Kubernetes kept in Secrets.
const legacyIssuer = "kubernetes/serviceaccount"

func (f *finder) serviceAccountToken(l *leaf, token string) {
	c, ok := tokenClaims(token)
	if !ok || c.Issuer != legacyIssuer || c.Expires != 0 {
		return
	}
	f.add(Key{Cloud: "kubernetes", Kind: KubernetesToken, ID: c.Subject, Confidence: Certain, Parts: []string{l.part}, secret: token,
		Evidence: []string{"a ServiceAccount's token of the old kind, which does not end"}})
}

// tokenClaims are those of a JWT, whose signature is not looked at.
func tokenClaims(token string) (claims, bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 || len(parts[2]) < 40 {
		return claims{}, false
	}
	var c claims
	b, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(b, &c) != nil {
		return claims{}, false
	}
	return c, true
}

// kubeconfig has what matters of one.
type kubeconfig struct {
	Kind     string `yaml:"kind"`
	Clusters []struct {
		Name    string `yaml:"name"`
		Cluster struct {
			Server string `yaml:"server"`
		} `yaml:"cluster"`
	} `yaml:"clusters"`
	Contexts []struct {
		Context struct {
			Cluster string `yaml:"cluster"`
			User    string `yaml:"user"`
		} `yaml:"context"`
	} `yaml:"contexts"`
	Users []struct {
		Name string `yaml:"name"`
		User struct {
			Token       string `yaml:"token"`
			Password    string `yaml:"password"`
			Certificate string `yaml:"client-certificate-data"`
			Key         string `yaml:"client-key-data"`
		} `yaml:"user"`
	} `yaml:"users"`
}

// longestKubeconfig that is parsed as YAML, which costs more than other texts.
const longestKubeconfig = 1 << 20

func (f *finder) kubeconfig(l *leaf) {
	var c kubeconfig
	if len(l.text) > longestKubeconfig || yaml.Unmarshal([]byte(l.text), &c) != nil || c.Kind != "Config" {
		return
	}
	servers := map[string]string{}
	for _, cl := range c.Clusters {
		servers[cl.Name] = cl.Cluster.Server
	}
	of := map[string]string{}
	for _, cx := range c.Contexts {
		of[cx.Context.User] = servers[cx.Context.Cluster]
	}
	for _, u := range c.Users {
		k := Key{Cloud: "kubernetes", ID: u.Name, Account: of[u.Name], Confidence: Certain, Parts: []string{l.part}}
		if der, ok := privateKey(decoded(u.User.Key)); ok {
			k.Kind, k.secret, k.Ends = KubernetesClientKey, string(der), certificateEnds(decoded(u.User.Certificate))
			k.Evidence = []string{"a user of a kubeconfig, with a client key that parses"}
			f.add(k)
		}
		if t, jwt := tokenClaims(u.User.Token); !placeholder(u.User.Token) && (!jwt || t.Expires == 0) {
			k.Kind, k.secret, k.Ends = KubernetesToken, u.User.Token, time.Time{}
			k.Evidence = []string{"a user of a kubeconfig, with a token that does not end"}
			f.add(k)
		}
		if !placeholder(u.User.Password) {
			k.Kind, k.secret, k.Ends = KubernetesPassword, u.User.Password, time.Time{}
			k.Evidence = []string{"a user of a kubeconfig, with a password"}
			f.add(k)
		}
	}
}

// decoded is what s is in base64; empty: it is not base64.
func decoded(s string) string {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return ""
	}
	return string(b)
}
