package rotate

import (
	"fmt"
	"slices"
	"time"

	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/issuer"
)

// Action is what podpass itself has to do.
type Action string

// The actions. Each can be done twice.
const (
	Nothing Action = ""
	// Add publishes the old and the new keys, beside what else is published.
	Add Action = "add"
	// Remove drops the old keys from what is published.
	Remove Action = "remove"
)

// Decision is what comes next.
type Decision struct {
	// State is the one to save. If it has another phase than before, decide again.
	State State
	// Action is what to do in that state.
	Action Action
	// Until is when a wait ends; zero: it does not end by itself.
	Until time.Time
	// Waiting says for what, if there is nothing to do for podpass.
	Waiting string
	// Findings are what stands in the way, or should be known.
	Findings []finding.Finding
}

// number counts from 0; -1: no phase.
func (p Phase) number() int { return slices.Index(Phases, p) }

// Decide holds a state against the world. It is pure.
func Decide(s State, l Look) Decision {
	d := &Decision{State: s}
	if s.Phase == Done {
		return *d // the cluster may be in another rotation by now
	}
	if !d.readable(l) || !d.known(l) {
		return *d
	}
	if d.kept(l); d.State.Phase != s.Phase {
		return *d
	}
	switch s.Phase {
	case Publish:
		d.publish(l)
	case Caches:
		d.caches(l)
	case Switch:
		d.switched(l)
	case Tokens:
		d.tokens(l)
	case Drop:
		d.drop(l)
	case Done: // was left above
	}
	return *d
}

func (d *Decision) to(p Phase) { d.State.Phase = p }

func (d *Decision) find(severity finding.Severity, code, message string, more finding.Finding) {
	more.Severity, more.Code, more.Message = severity, code, message
	if more.Where == "" {
		more.Where = "issuer " + d.State.Issuer
	}
	d.Findings = append(d.Findings, more)
}

// readable: without a look from outside nothing is decided. Nothing may be published yet
// when a rotation begins.
func (d *Decision) readable(l Look) bool {
	if l.Published.Err() == nil {
		return true
	}
	if d.State.Phase == Publish && len(l.Published.Keys) == 0 && d.State.Published.IsZero() {
		d.Action, d.Waiting = Add, "what is published cannot be read from here yet"
	}
	d.Findings = issuer.Verify(l.Published, issuer.Cluster{Private: d.State.Private})
	return false
}

// known: a signer that is no part of the rotation ends it, since whatever is dropped or
// waited for may be wrong.
func (d *Decision) known(l Look) bool {
	old, fresh, other, foreign := l.signing(d.State)
	if other > 0 {
		d.find(finding.Error, CodeSigner, "an API server signs with a key that is no part of this rotation", finding.Finding{
			Expected: d.State.New.Keys[0].ID, Seen: foreign,
			Fix: "find the API server with another --service-account-signing-key-file; or begin anew with a new state file, so that this key is the old one",
		})
		return false
	}
	if fresh > 0 && (d.State.Phase == Publish || d.State.Phase == Caches) {
		d.find(finding.Error, CodeEarly, "an API server signs with the new key already, and clouds may not know it yet: exchanges can fail", finding.Finding{
			Seen: fmt.Sprintf("%d of %d tokens", fresh, old+fresh),
			Fix:  "start that API server with the old --service-account-signing-key-file again, and both in --service-account-key-file; the wait goes on",
		})
	}
	return true
}

// kept looks after what former steps have done. A key that is gone takes the rotation back
// to the step that publishes it, and its clock starts again.
func (d *Decision) kept(l Look) {
	n := d.State.Phase.number()
	if n > Publish.number() && n < Drop.number() {
		for _, k := range slices.Concat(d.State.New.Keys, d.State.Old.Keys) {
			if !l.shows(k) {
				d.find(finding.Error, CodeGone, "a key of this rotation is not published any more; it is published again, and the wait starts anew", finding.Finding{
					Where: l.Published.JWKS.URL, Expected: k.ID, Seen: fmt.Sprint(l.Published.Keys.IDs()),
					Fix: "find who else publishes there: podpass keeps the keys of others, and they must keep these",
				})
				d.to(Publish)
				d.State.Published, d.State.Switched = time.Time{}, time.Time{}
				return
			}
		}
	}
	if old, _, _, _ := l.signing(d.State); old > 0 && (n == Tokens.number() || n == Drop.number()) {
		d.find(finding.Error, CodeSwitchedBack, "an API server signs with the old key again; the wait starts anew once none does", finding.Finding{
			Seen: fmt.Sprintf("%d of %d tokens", old, len(l.Tokens)), Fix: "start each API server with the new --service-account-signing-key-file",
		})
		d.to(Switch)
		d.State.Switched = time.Time{}
	}
}

func (d *Decision) publish(l Look) {
	for _, k := range slices.Concat(d.State.New.Keys, d.State.Old.Keys) {
		if !l.shows(k) {
			d.Action, d.Waiting = Add, "the new key is not seen from outside yet"
			return
		}
	}
	d.State.Published = l.Now
	d.to(Caches)
}

func (d *Decision) caches(l Look) {
	wait := time.Duration(d.State.CacheWait)
	if life, said := l.Published.JWKS.CacheLife(); said && life > wait {
		d.find(finding.Warning, CodeShort, "caches on the way may keep the former keys for longer than this rotation waits", finding.Finding{
			Where: l.Published.JWKS.URL, Expected: life.String(), Seen: wait.String(), Fix: "wait longer: edit cacheWait in the state file",
		})
	}
	d.Until = d.State.Published.Add(wait)
	trusting := l.trusting(d.State.New.Keys[0])
	switch {
	case l.Now.Before(d.Until):
		d.Waiting = "verifiers may still have the former keys in their caches"
	case trusting < len(l.Servers) || len(l.Servers) == 0:
		d.Until = time.Time{}
		d.Waiting = "each API server has to verify by the new key before one signs with it"
	default:
		d.to(Switch)
		d.Until = time.Time{}
		return
	}
	if trusting < len(l.Servers) {
		d.find(finding.Info, CodeTrust, "an API server does not verify by the new key yet", finding.Finding{
			Where: "API server", Expected: fmt.Sprintf("%d of %d looks", len(l.Servers), len(l.Servers)), Seen: fmt.Sprintf("%d of %d looks", trusting, len(l.Servers)),
			Fix: "start each API server, one after another, with both keys in --service-account-key-file", Command: "kubectl get --raw " + issuer.DefaultJWKSPath,
		})
	}
}

func (d *Decision) switched(l Look) {
	old, fresh, _, _ := l.signing(d.State)
	if old > 0 || fresh == 0 {
		d.Waiting = "the API servers have to be started with the new key"
		if fresh > 0 {
			d.find(finding.Info, CodeSigner, "some API servers sign with the new key, and some with the old one", finding.Finding{
				Where: "API server", Seen: fmt.Sprintf("%d of %d tokens are the new key's", fresh, old+fresh), Fix: "go on with the others",
			})
		}
		return
	}
	d.State.Switched = l.Now
	d.to(Tokens)
}

func (d *Decision) tokens(l Look) {
	d.Until = d.State.Switched.Add(time.Duration(d.State.TokenWait))
	if l.Now.Before(d.Until) {
		d.Waiting = "tokens of the old key may still live"
		return
	}
	d.Until = time.Time{}
	d.to(Drop)
}

func (d *Decision) drop(l Look) {
	for _, k := range d.State.Old.Keys {
		if _, ok := l.Published.Keys.Find(k.ID); ok {
			d.Action, d.Waiting = Remove, "the old key is still seen from outside"
			return
		}
	}
	if !l.shows(d.State.New.Keys[0]) {
		d.find(finding.Error, CodeGone, "the new key is not published any more", finding.Finding{
			Where: l.Published.JWKS.URL, Expected: d.State.New.Keys[0].ID, Seen: fmt.Sprint(l.Published.Keys.IDs()), Fix: "publish the API servers' keys with podpass issuer publish",
		})
		return
	}
	d.to(Done)
}
