package federation

import (
	"context"
	"time"
)

// Credential is what a cloud gave for a subject token. It is a value: copies are
// independent, and nothing in it changes.
type Credential struct {
	// AccessKeyID and SecretAccessKey are set for AWS only.
	AccessKeyID     string
	SecretAccessKey Secret
	// Token is the AWS session token, the OAuth 2.0 access token, or the ID token.
	Token Secret
	// Principal is who the cloud says the bearer is: the assumed-role ARN, the
	// service account's email, the client ID. It is not secret.
	Principal string
	// Expiry is when the credential ends.
	Expiry Expiry
	// RefreshIn is how long after it was issued the cloud wants a renewal (Entra's
	// refresh_in); 0 when it did not say.
	RefreshIn time.Duration
}

// Expiry is a moment kept on two clocks. The wall clock may be set back, which
// would make a dead credential look alive; the monotonic clock may stand still
// while a machine sleeps, which would do the same. A credential has expired if
// either clock says so. The zero Expiry has always expired.
type Expiry struct {
	issued   time.Time // when the answer came, with its monotonic reading
	deadline time.Time // issued + life: monotonic
	wall     time.Time // what the cloud said; only its wall clock is read
}

// ExpiresAt is the Expiry of a credential that came at now (a time.Now, with
// its monotonic reading) and that the cloud says ends at the wall-clock time at.
func ExpiresAt(now, at time.Time) Expiry {
	return Expiry{issued: now, deadline: now.Add(at.Sub(now.Round(0))), wall: at}
}

// clockSlack is by how much an end may lie further off than what was asked for.
const clockSlack = time.Minute

// ExpiresWithin is ExpiresAt for a credential whose life was asked for: a cloud gives no
// longer one, so an end further off comes of a clock of this machine that is behind, and
// the credential would be served long after the cloud has ended it.
func ExpiresWithin(now, at time.Time, asked time.Duration) Expiry {
	if latest := now.Add(asked + clockSlack); at.After(latest) {
		at = latest
	}
	return ExpiresAt(now, at)
}

// ExpiresIn is the Expiry of a credential that came at now and lives for life.
func ExpiresIn(now time.Time, life time.Duration) Expiry {
	return ExpiresAt(now, now.Add(life))
}

// Remaining is the life that is left at now, by whichever clock has less: zero
// or negative once expired.
func (e Expiry) Remaining(now time.Time) time.Duration {
	return min(e.deadline.Sub(now), e.wall.Sub(now.Round(0)))
}

// Expired reports whether either clock is past the end.
func (e Expiry) Expired(now time.Time) bool { return e.Remaining(now) <= 0 }

// Life is the whole life that the credential had when it came.
func (e Expiry) Life() time.Duration { return e.deadline.Sub(e.issued) }

// Issued is when the credential came.
func (e Expiry) Issued() time.Time { return e.issued }

// Time is the wall-clock end, in UTC, as the cloud gave it.
func (e Expiry) Time() time.Time { return e.wall.UTC() }

// Exchanger is one exchange, bound to all that it needs: which token, which
// identity, which scope. It is safe for concurrent use, keeps no credential
// (that is the broker's cache's work), and does not retry.
type Exchanger interface {
	// Key names every input that changes the result, and holds no secret: two
	// Exchangers with equal keys are interchangeable. It starts with the cloud,
	// "aws/", "gcp/" or "azure/".
	Key() string
	// Exchange reads the subject token anew and trades it. Its errors are [*Error],
	// or ctx's own.
	Exchange(ctx context.Context) (Credential, error)
}

// Keyed is e with its key computed once: for one that is asked for again and again.
func Keyed(e Exchanger) Exchanger { return keyed{e, e.Key()} }

type keyed struct {
	Exchanger
	key string
}

func (k keyed) Key() string { return k.key }

// Getter gives the credential of an Exchanger, from a cache or by running it. An
// exchange that starts from another one's credential (impersonation from a
// federated token, one assumed role from another) asks a Getter for it, so that
// the intermediate credential is shared too.
type Getter interface {
	Get(ctx context.Context, e Exchanger) (Credential, error)
}

// Direct is the Getter without a cache: it runs each exchange.
type Direct struct{}

// Get runs e.
func (Direct) Get(ctx context.Context, e Exchanger) (Credential, error) { return e.Exchange(ctx) }
