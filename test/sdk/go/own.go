package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"
)

// awsKey is a key of AWS in a setting of an application's own.
type awsKey struct {
	ID     string `json:"accessKeyId"`
	Secret string `json:"secretAccessKey"`
}

// ownSetting is where SDK_OWN_KEY says that the application has a key, if it says a place
// of that form.
func ownSetting(form string) (name string, ok bool) {
	return strings.CutPrefix(os.Getenv("SDK_OWN_KEY"), form+":")
}

// ownAWSKey is the application's own key; nil: it has none, and takes the default chain.
func ownAWSKey() (*awsKey, error) {
	if name, ok := ownSetting("url"); ok && os.Getenv(name) != "" {
		u, err := url.Parse(os.Getenv(name))
		if err != nil || u.User == nil {
			return nil, fmt.Errorf("%s is no URL with a key", name) // the parser's error would quote it
		}
		secret, _ := u.User.Password()
		return &awsKey{u.User.Username(), secret}, nil
	}
	name, ok := ownSetting("json")
	if !ok {
		return nil, nil
	}
	content, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var settings struct{ Storage awsKey }
	if err := json.Unmarshal(content, &settings); err != nil {
		return nil, fmt.Errorf("%s is not JSON", name)
	}
	return &settings.Storage, nil
}

// ownGoogleKey is the application's own key file; nil: it has none.
func ownGoogleKey() ([]byte, error) {
	name, ok := ownSetting("base64")
	if !ok || os.Getenv(name) == "" {
		return nil, nil
	}
	file, err := base64.StdEncoding.DecodeString(os.Getenv(name))
	if err != nil {
		return nil, fmt.Errorf("%s is not base64", name)
	}
	return file, nil
}

// azureSecret is an application of Entra and its secret.
type azureSecret struct{ tenant, client, secret string }

// ownAzureSecret is the application's own: in the variables of a prefix, as Terraform has
// them; nil: it has none.
func ownAzureSecret() *azureSecret {
	prefix, ok := ownSetting("prefix")
	if !ok || os.Getenv(prefix+"CLIENT_SECRET") == "" {
		return nil
	}
	return &azureSecret{os.Getenv(prefix + "TENANT_ID"), os.Getenv(prefix + "CLIENT_ID"), os.Getenv(prefix + "CLIENT_SECRET")}
}
