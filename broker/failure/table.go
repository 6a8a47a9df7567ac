package failure

import "github.com/podpass-io/podpass/federation"

// Table gives the HTTP status for each kind of error, as the clients of a protocol
// read statuses. A kind that it does not name is answered as KindUnavailable.
type Table map[federation.Kind]int

// JSON is for protocols whose errors are JSON: AWS's container credentials, Azure's
// managed identities, OAuth 2.0. Their clients show the text of a 4xx at once, and
// retry 429 and 5xx.
var JSON = Table{
	federation.KindConfig:           400,
	federation.KindIssuerUntrusted:  400,
	federation.KindAudienceMismatch: 400,
	federation.KindSubjectMismatch:  403,
	federation.KindTokenExpired:     400,
	federation.KindDenied:           403,
	federation.KindThrottled:        429,
	federation.KindUnavailable:      503,
	federation.KindCanceled:         503,
}

// GCE is for tokens of Google's metadata server: 400 is the one status that Go, Python
// and Node neither retry nor hide.
var GCE = Table{
	federation.KindConfig:           400,
	federation.KindIssuerUntrusted:  400,
	federation.KindAudienceMismatch: 400,
	federation.KindSubjectMismatch:  400,
	federation.KindTokenExpired:     400,
	federation.KindDenied:           400,
	federation.KindThrottled:        503,
	federation.KindUnavailable:      503,
	federation.KindCanceled:         503,
}

// EC2 is for credentials of EC2's metadata service, which tells a failure with status
// 200 and a code: SDKs ask again and again for anything else.
var EC2 = Table{
	federation.KindConfig:           200,
	federation.KindIssuerUntrusted:  200,
	federation.KindAudienceMismatch: 200,
	federation.KindSubjectMismatch:  200,
	federation.KindTokenExpired:     200,
	federation.KindDenied:           200,
	federation.KindThrottled:        503,
	federation.KindUnavailable:      503,
	federation.KindCanceled:         503,
}
