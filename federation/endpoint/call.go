package endpoint

import (
	"cmp"
	"net/http"

	"github.com/podpass-io/podpass/federation"
)

// Call is one exchange with a cloud, by one request or two. It is not for
// concurrent use.
type Call struct {
	// Cloud and Op are those of the errors: "aws", "sts:AssumeRole".
	Cloud string
	Op    string
	// URL is where the request goes, as the administrator set it.
	URL string
	// Setting is the chart value that says so: "aws.stsEndpoints".
	Setting string
	// Secrets are what the requests hold and nobody may read: errors do not show
	// them, whoever echoes them.
	Secrets []federation.Secret
	// Reads the cloud's own words.
	Reads Cloud

	recorder recorder
}

// Client is client for this call; nil: one that trusts the system's roots.
func (c *Call) Client(client *http.Client) *http.Client {
	if client == nil {
		client = &http.Client{Timeout: timeout}
	}
	c.recorder.next = cmp.Or(client.Transport, http.DefaultTransport)
	c.recorder.timeout = client.Timeout
	copied := *client
	copied.Timeout = 0
	copied.Transport = &c.recorder
	copied.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &copied
}

// Last is the last answer; nil if the last request got none.
func (c *Call) Last() *Response {
	last, _ := c.recorder.outcome()
	return last
}
