package sastore

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// worst are annotations as large as an API server takes, 256 KiB, of each kind.
func worst() map[string]map[string]string {
	const total = 250_000
	every, roles, misspelt := map[string]string{}, map[string]string{}, map[string]string{}
	for _, k := range serviceaccount.Keys() {
		every[k.Name] = strings.Repeat("a", 4096)
	}
	for n := 0; n < total; n += 50 {
		roles[fmt.Sprintf("podpass.io/aws-role-arn.n%d", n)] = "arn:aws:iam::1:role/x"
		misspelt[fmt.Sprintf("eks.amazonaws.com/role-arm%d", n)] = ""
	}
	return map[string]map[string]string{
		"any key":           {"example.com/blob": strings.Repeat("a", total)},
		"a known key":       {"eks.amazonaws.com/role-arn": strings.Repeat("a", total)},
		"an unknown key":    {"eks.amazonaws.com/blob": strings.Repeat("a", total)},
		"every known key":   every,
		"roles with names":  roles,
		"misspelt keys":     misspelt,
		"one at the border": {"podpass.io/aws-session-policy": strings.Repeat("a", 4096)},
	}
}

func annotated(annotations map[string]string) *metav1.PartialObjectMetadata {
	return serviceAccount("orders", annotations)
}

// TestRecordIsBounded: whatever is annotated, the store holds at most maxRecord of it,
// and what it does not hold it reads.
func TestRecordIsBounded(t *testing.T) {
	isLarge := map[string]bool{"every known key": true, "roles with names": true, "misspelt keys": true, "one at the border": true}
	for name, annotations := range worst() {
		t.Run(name, func(t *testing.T) {
			r := newRecord(annotated(annotations), maxRecord)
			if r.Large != isLarge[name] || r.Large && r.Annotations != nil {
				t.Errorf("large %t with %d annotations, want %t", r.Large, len(r.Annotations), isLarge[name])
			}
			if n := r.size(); n > maxRecord {
				t.Errorf("%d bytes held", n)
			}
			sameAnswer(t, annotations)
		})
	}
	fits := map[string]string{"podpass.io/aws-session-policy": strings.Repeat("a", maxRecord-overhead-len("podpass.io/aws-session-policy"))}
	if r := newRecord(annotated(fits), maxRecord); r.Large || r.size() != maxRecord {
		t.Errorf("large %t, %d bytes: a record of exactly maxRecord is held", r.Large, r.size())
	}
}

// sameAnswer checks that nothing that decides is lost with what is not kept.
func sameAnswer(t *testing.T, annotations map[string]string) {
	t.Helper()
	ask := serviceaccount.Request{Namespace: "shop", Name: "orders", Annotations: annotations, PodLabels: map[string]string{"podpass.io/inject": "true"}}
	want := serviceaccount.Resolve(ask, serviceaccount.Installation{})
	r := newRecord(annotated(annotations), whole)
	ask.Annotations = r.Annotations
	if diff := cmp.Diff(want, serviceaccount.Resolve(ask, serviceaccount.Installation{})); diff != "" {
		t.Errorf("another answer (-all +kept)\n%s", diff)
	}
}

// TestTooLongIsShared: of a value that is too long there is one mark in memory, for all,
// and it is denied as the value would be.
func TestTooLongIsShared(t *testing.T) {
	r := newRecord(annotated(map[string]string{"eks.amazonaws.com/role-arn": strings.Repeat("a", 4097)}), maxRecord)
	ask := serviceaccount.Request{Namespace: "shop", Name: "orders", Annotations: r.Annotations}
	answer := serviceaccount.Resolve(ask, serviceaccount.Installation{})
	if len(answer.Errors) != 1 || answer.Errors[0].Code != serviceaccount.CodeTooLong || answer.Errors[0].Value != "" {
		t.Errorf("got %+v, want one %s that quotes nothing", answer.Errors, serviceaccount.CodeTooLong)
	}
	o := annotated(map[string]string{"eks.amazonaws.com/role-arn": strings.Repeat("a", 250_000)})
	if n := testing.AllocsPerRun(10, func() { newRecord(o, maxRecord) }); n > 6 {
		t.Errorf("%v allocations: a copy of the value?", n)
	}
	if n := r.size(); n > 200 {
		t.Errorf("it is held as %d bytes", n)
	}
}

// FuzzRecord: for any annotations, what is held is bounded, and decides as the whole would.
func FuzzRecord(f *testing.F) {
	for _, annotations := range worst() {
		for k, v := range annotations {
			f.Add(k, v, 5000)
			break
		}
	}
	f.Add("podpass.io/aws-role-arn.", "x", 3)
	f.Fuzz(func(t *testing.T, key, value string, copies int) {
		annotations := map[string]string{"cloud.google.com/audience": "x", key: value}
		for i := range min(max(copies, 0), 50) {
			annotations[fmt.Sprint(key, i)] = value
		}
		if n := newRecord(annotated(annotations), maxRecord).size(); n > maxRecord {
			t.Errorf("%d bytes held", n)
		}
		sameAnswer(t, annotations)
	})
}
