package statickeys

import (
	"encoding/json"
	"net/url"

	"github.com/podpass-io/podpass/federation/statickey"
)

const googleProject = "shop-production"

// googleKey is the key file of a Google service account.
type googleKey struct{ email, file, pem string }

func newGoogleKey(account string) googleKey {
	k := googleKey{email: account + "@" + googleProject + ".iam.gserviceaccount.com", pem: newPrivateKey().pem}
	k.file = serviceAccountFile(k.email, k.pem)
	return k
}

func (k googleKey) found() found {
	return found{cloud: "gcp", kind: statickey.GCPServiceAccountKey, id: k.email, secrets: pemLines(k.pem)}
}

// serviceAccountFile is a key file as Google's console gives it.
func serviceAccountFile(email, privateKey string) string {
	return indented(map[string]string{
		"type":                        "service_account",
		"project_id":                  googleProject,
		"private_key_id":              hexText(20),
		"private_key":                 privateKey,
		"client_email":                email,
		"client_id":                   "1" + text(20, digits),
		"auth_uri":                    "https://accounts.google.com/o/oauth2/auth",
		"token_uri":                   "https://oauth2.googleapis.com/token",
		"auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
		"client_x509_cert_url":        "https://www.googleapis.com/robot/v1/metadata/x509/" + url.PathEscape(email),
		"universe_domain":             "googleapis.com",
	})
}

// authorizedUser is the file that `gcloud auth application-default login` writes.
type authorizedUser struct{ clientID, clientSecret, refreshToken string }

func newAuthorizedUser() authorizedUser {
	return authorizedUser{
		clientID:     text(12, digits[1:]) + "-" + text(32, lower+digits) + ".apps.googleusercontent.com",
		clientSecret: "GOCSPX-" + text(28, urlSafe),
		refreshToken: "1//0" + text(99, urlSafe),
	}
}

func (u authorizedUser) file() string {
	return indented(map[string]string{
		"type":             "authorized_user",
		"account":          "",
		"client_id":        u.clientID,
		"client_secret":    u.clientSecret,
		"refresh_token":    u.refreshToken,
		"quota_project_id": googleProject,
		"universe_domain":  "googleapis.com",
	})
}

func (u authorizedUser) found() found {
	return found{cloud: "gcp", kind: statickey.GCPAuthorizedUser, id: u.clientID, secrets: []string{u.clientSecret, u.refreshToken}}
}

// hmacKey is a key of a service account for Cloud Storage's XML API.
type hmacKey struct{ id, secret string }

// newHMACKey makes one; the ID of a service account's has 61 characters.
// https://cloud.google.com/storage/docs/authentication/hmackeys
func newHMACKey() hmacKey { return hmacKey{"GOOG1E" + text(55, base32Digits), mixed64(30)} }

func (k hmacKey) found() found {
	return found{cloud: "gcp", kind: statickey.GCPHMACKey, id: k.id, secrets: []string{k.secret}}
}

func indented(v any) string { return string(must(json.MarshalIndent(v, "", "  "))) }
