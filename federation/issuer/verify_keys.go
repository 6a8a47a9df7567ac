package issuer

import (
	"cmp"
	"crypto/rsa"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/podpass-io/podpass/federation/finding"
)

// signingKey looks for the key of the cluster's newest token, and then for the others by
// which the API server verifies.
func (v *verifier) signingKey() {
	where := v.p.JWKS.URL
	if t := v.c.Token; t != nil {
		if _, ok := v.p.Keys.Find(t.KeyID); !ok {
			v.add(finding.Error, CodeSigningKey, "the key that signs now is not published: every exchange fails, or will when the clouds' caches end", finding.Finding{
				Where: where, Expected: t.KeyID, Seen: strings.Join(v.p.Keys.IDs(), " "),
				Fix: "publish the API server's keys with podpass issuer publish", Command: "kubectl get --raw " + DefaultJWKSPath,
			})
		}
	}
	for _, k := range v.c.Keys {
		published, ok := v.p.Keys.Find(k.ID)
		switch {
		case ok && !published.Same(k):
			v.add(finding.Error, CodeSigningKey, "another key is published under the kid of one of the API server's", finding.Finding{
				Where: where, Expected: k.String(), Seen: published.String(), Fix: "publish the API server's own key under that kid; two clusters must not share one",
			})
		case !ok && (v.c.Token == nil || v.c.Token.KeyID != k.ID):
			v.add(finding.Warning, CodeSigningKey, "a key by which the API server verifies is not published; tokens that it has signed fail", finding.Finding{
				Where: where, Expected: k.ID, Seen: strings.Join(v.p.Keys.IDs(), " "),
				Fix: "publish it before it signs; if it has been dropped on purpose, drop it from --service-account-key-file too, when nothing in the cluster uses its tokens",
			})
		}
	}
}

func (v *verifier) keySet() {
	where := v.p.JWKS.URL
	kinds := map[bool]int{} // RSA or not
	for i, k := range v.p.Keys {
		_, isRSA := k.Public.(*rsa.PublicKey)
		kinds[isRSA]++
		if first, _ := v.p.Keys.Find(k.ID); !first.Same(k) {
			v.add(finding.Error, CodeKeySet, "two different keys are published under one kid: tokens of either fail by chance", finding.Finding{
				Where: where, Expected: first.String(), Seen: k.String(), Fix: "give each its own kid, or drop the one that signs nothing",
			})
		} else if slices.IndexFunc(v.p.Keys, func(o Key) bool { return o.ID == k.ID }) < i {
			v.add(finding.Warning, CodeKeySet, "a key is published twice", finding.Finding{Where: where, Seen: k.String(), Fix: "drop one"})
		}
		switch {
		case k.ID == "":
			v.add(finding.Error, CodeKeySet, "a key has no kid: verifiers cannot choose it", finding.Finding{Where: where, Seen: k.String(), Fix: "publish it under the kid of the tokens"})
		case k.Use != "" && k.Use != "sig":
			v.add(finding.Error, CodeKeySet, "a key is not for signatures", finding.Finding{Where: where, Expected: "sig", Seen: k.Use, Fix: "publish it with the use sig"})
		case v.c.Keys != nil && !slices.ContainsFunc(v.c.Keys, k.Same):
			v.add(finding.Info, CodeKeySet, "a key is published that is none of this cluster's: whoever holds it can be any ServiceAccount of it", finding.Finding{
				Where: where, Seen: k.String(), Fix: "nothing, if another cluster shares this issuer on purpose, or a rotation is under way; else drop it",
			})
		}
		if len(k.Extra) > 0 {
			v.add(finding.Info, CodeKeySet, "a key has members that Google Cloud refuses in an upload", finding.Finding{
				Where: where + " kid " + k.ID, Expected: strings.Join(googles, " "), Seen: strings.Join(k.Extra, " "), Fix: "upload what podpass issuer build -o jwks prints",
			})
		}
	}
	for _, n := range kinds {
		if n > maxKeysOfAKind {
			v.add(finding.Error, CodeKeySet, "there are more keys of one kind than AWS takes", finding.Finding{
				Where: where, Expected: fmt.Sprintf("at most %d", maxKeysOfAKind), Seen: fmt.Sprint(n), Fix: "drop the keys whose tokens have ended",
			})
		}
	}
}

// algorithms is about the key that signs, or about all where that is not known.
func (v *verifier) algorithms() {
	for _, k := range v.p.Keys {
		if t := v.c.Token; t != nil {
			if t.KeyID != k.ID {
				continue
			}
			k.Algorithm = cmp.Or(t.Algorithm, k.Algorithm)
		}
		v.list = append(v.list, CheckKey(k)...)
	}
}

// CheckKey says which clouds would not take tokens that a key has signed.
func CheckKey(k Key) (list []finding.Finding) {
	fits, _ := algorithmOf(k.Public) // of a known kind, or it would be no Key
	algorithm := cmp.Or(k.Algorithm, fits)
	if names := refusing(algorithm); len(names) > 0 {
		severity := finding.Warning
		if len(names) == len(clouds) {
			severity = finding.Error
		}
		list = append(list, finding.Finding{
			Code: CodeAlgorithm, Severity: severity, Where: "kid " + k.ID, Message: "tokens are signed by " + algorithm + ", " + takenBy(names),
			Expected: "RS256", Seen: algorithm, Fix: "if you use these clouds, sign with an RSA key: all of them take RS256",
		})
	}
	if _, isRSA := k.Public.(*rsa.PublicKey); isRSA && k.bits() < minRSABits {
		list = append(list, finding.Finding{
			Code: CodeAlgorithm, Severity: finding.Error, Where: "kid " + k.ID, Message: "the RSA key is too short for the clouds",
			Expected: fmt.Sprintf("%d bits or more", minRSABits), Seen: fmt.Sprintf("%d bits", k.bits()), Fix: "sign with a longer key",
		})
	}
	return list
}

func (v *verifier) caching() {
	for _, r := range []Response{v.p.Discovery, v.p.JWKS} {
		life, said := r.CacheLife()
		switch {
		case !said:
			v.add(finding.Info, CodeCache, "no caching header: each cache on the way chooses for itself", finding.Finding{
				Where: r.URL, Expected: CacheControl, Seen: r.CacheControl, Fix: "set the object's Cache-Control, as podpass issuer publish does",
			})
		case life > longestCache:
			v.add(finding.Warning, CodeCache, "caches may keep it so long that a new key is late, and a lost one stays", finding.Finding{
				Where: r.URL, Expected: "at most " + longestCache.String(), Seen: life.String(), Fix: "shorten the object's Cache-Control a full life before the next rotation",
			})
		}
	}
}

// CacheControl is what is published with both objects: what an API server answers. An hour
// saves nearly all requests, and adds little to the clouds' own caches.
const CacheControl = "public, max-age=3600"

// CacheTime is CacheControl's.
const CacheTime = time.Hour
