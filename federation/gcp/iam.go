package gcp

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"net/http"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/endpoint"
)

// call calls a method of the IAM credentials API on the identity's service account,
// authorized by the federated token.
func (c *Client) call(ctx context.Context, method string, body, into any) (*endpoint.Call, error) {
	from, err := cmp.Or[federation.Getter](c.Via, federation.Direct{}).Get(ctx, c.Federated())
	if err != nil {
		return nil, err
	}
	call := &endpoint.Call{
		Cloud: cloud, Op: "iamcredentials:" + method, URL: c.Endpoints.ImpersonationURL(c.Identity.ServiceAccount, method), Setting: "gcp.iamCredentialsEndpoint",
		Secrets: []federation.Secret{from.Token}, Reads: c.iamFailure(c.claims(ctx)),
	}
	encoded, _ := json.Marshal(body) // strings always have JSON
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, call.URL, bytes.NewReader(encoded))
	if err != nil {
		return nil, call.Error(ctx, err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+from.Token.Reveal())
	if q := c.Identity.QuotaProject; q != "" {
		req.Header.Set("X-Goog-User-Project", q)
	}
	resp, err := call.Client(c.HTTP).Do(req)
	if err != nil {
		return nil, call.Error(ctx, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK || json.Unmarshal(call.Last().Body, into) != nil {
		return nil, call.Error(ctx, nil)
	}
	return call, nil
}

// claims are those of the subject token, as far as it can be read: IAM is not sent
// it, and only hints name it.
func (c *Client) claims(ctx context.Context) federation.Claims {
	token, _ := c.Token.SubjectToken(ctx)
	return token.Claims
}
