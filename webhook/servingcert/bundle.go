package servingcert

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"slices"
	"strings"
	"time"
)

// annotationRetired, of a registration, says since when CAs of its bundle have not
// been the Secret's: fingerprint=time, separated by commas. It is there, and not in
// memory or in the Secret, to outlive both.
const annotationRetired = "podpass.io/retired-cas"

// retiredMost is how many CAs that are not the Secret's a bundle keeps. Each deletion
// or restoration of the Secret retires one or two, for a week; somebody who appends
// CAs to a bundle does not make it grow.
const retiredMost = 8

// union is what a registration is to have, given what it has: the Secret's CAs, then
// others in the order in which they are, each until it has been retired for a leaf's
// life. The signer of this replica's leaf, if not nil, is always among them. What is
// no CA, or has ended, is not.
func union(secret []*x509.Certificate, signer *x509.Certificate, have []byte, retired string, now time.Time) (bundle []byte, nowRetired string) {
	since := parseRetired(retired, now)
	var kept []*x509.Certificate
	for _, c := range certificates(have) {
		t, marked := since[fingerprint(c)]
		over := marked && !now.Before(t.Add(leafLife))
		if over && c.Equal(signer) {
			since[fingerprint(c)] = now // so that other replicas keep it too
			over = false
		}
		if c.IsCA && now.Before(c.NotAfter) && !over && !contains(secret, c) && !contains(kept, c) {
			kept = append(kept, c)
		}
	}
	if signer != nil && !contains(secret, signer) && !contains(kept[:min(len(kept), retiredMost)], signer) {
		kept = append([]*x509.Certificate{signer}, kept...)
	}
	kept = kept[:min(len(kept), retiredMost)]

	var out bytes.Buffer
	for _, c := range slices.Concat(secret, kept) {
		out.Write(encode(c))
	}
	var marks []string
	for _, c := range kept {
		t, ok := since[fingerprint(c)]
		if !ok {
			t = now
		}
		marks = append(marks, fingerprint(c)+"="+t.UTC().Format(time.RFC3339))
	}
	return out.Bytes(), strings.Join(marks, ",")
}

// parseRetired reads annotationRetired. A time in the future is now: a clock that was
// wrong, or somebody's edit, keeps no CA for longer than a leaf's life.
func parseRetired(annotation string, now time.Time) map[string]time.Time {
	since := map[string]time.Time{}
	for mark := range strings.SplitSeq(annotation, ",") {
		name, at, _ := strings.Cut(mark, "=")
		t, err := time.Parse(time.RFC3339, at)
		if err != nil {
			continue
		}
		if t.After(now) {
			t = now
		}
		since[name] = t
	}
	return since
}

// certificates are those of a bundle that can be read.
func certificates(bundle []byte) []*x509.Certificate {
	var list []*x509.Certificate
	for block, rest := pem.Decode(bundle); block != nil; block, rest = pem.Decode(rest) {
		if c, err := x509.ParseCertificate(block.Bytes); err == nil && block.Type == "CERTIFICATE" {
			list = append(list, c)
		}
	}
	return list
}

func contains(list []*x509.Certificate, c *x509.Certificate) bool {
	return slices.ContainsFunc(list, c.Equal)
}

func encode(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}

func fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:8])
}
