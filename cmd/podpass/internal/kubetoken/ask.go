package kubetoken

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/endpoint"
)

// ask makes a GET with a bearer token and reads the JSON of the answer. It goes the way of
// all exchanges: https or loopback, no redirect, bounded in time and size, and no secret in
// what is said of a failure. where is the URL as messages show it, without its query.
func ask(ctx context.Context, client *http.Client, op, where, url string, bearer federation.Secret, into any) error {
	call := &endpoint.Call{Op: op, URL: where, Setting: "oidc.tokenSources", Secrets: []federation.Secret{bearer}, Reads: plain{}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("%s: %s is no URL", op, where) // the parser's own text would quote all of it
	}
	req.Header.Set("Authorization", "Bearer "+bearer.Reveal())
	req.Header.Set("Accept", "application/json")
	resp, err := call.Client(client).Do(req)
	if err != nil {
		return unhinted(call.Error(ctx, err))
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return unhinted(call.Error(ctx, nil))
	}
	// An answer that is no JSON has no token, which the caller sees.
	_ = json.Unmarshal(call.Last().Body, into)
	return nil
}

// unhinted: the hints of an exchange are a pod's, and the chart's.
func unhinted(e *federation.Error) error {
	e.Hint = ""
	return e
}

// plain reads errors of the two forms that are met here: OAuth 2.0's, and GitHub's.
type plain struct{}

// Table implements endpoint.Cloud: the status says enough.
func (plain) Table() endpoint.Table { return nil }

// Read implements endpoint.Cloud.
func (plain) Read(r endpoint.Response) (endpoint.Words, bool) {
	var in struct{ Error, Description, Message string }
	var oauth struct {
		Description string `json:"error_description"`
	}
	if json.Unmarshal(r.Body, &in) != nil {
		return endpoint.Words{}, false
	}
	_ = json.Unmarshal(r.Body, &oauth)
	w := endpoint.Words{Code: in.Error, Message: in.Message}
	if oauth.Description != "" {
		w.Message = oauth.Description
	}
	return w, true
}

// Hint implements endpoint.Cloud.
func (plain) Hint(*federation.Error) string { return "" }
