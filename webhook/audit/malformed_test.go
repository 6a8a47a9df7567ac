package audit

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// account puts a ServiceAccount where the auditor reads it live.
func account(t *testing.T, client *fake.Clientset, namespace, name string, annotations map[string]string) {
	t.Helper()
	_, err := client.CoreV1().ServiceAccounts(namespace).Create(t.Context(), &corev1.ServiceAccount{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID("uid-of-" + name), Annotations: annotations},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

// TestMalformedServiceAccounts: those whose pods are denied are counted, and each gets one
// Event; not one that was mended since memory heard of it, that has gone, or that is in an
// excluded namespace.
func TestMalformedServiceAccounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := map[string]string{"eks.amazonaws.com/role-arn": "arn:aws:iam::1234:role/orders", "podpass.io/static-keys": "keep"}
		a, client := newAuditor(t, accounts{"shop/bad": bad, "shop/mended": bad, "shop/gone": bad, "shop/orders": asks, "kube-system/dns": bad})
		account(t, client, "shop", "bad", bad)
		account(t, client, "shop", "mended", asks)
		account(t, client, "kube-system", "dns", bad)
		pass := audited(t, a, 10*time.Minute)
		if pass.Malformed != 1 || pass.Uninjected != 0 {
			t.Errorf("last pass %+v", pass)
		}
		got := events(t, client)
		if len(got) != 1 || got[0].InvolvedObject.Kind != "ServiceAccount" || got[0].InvolvedObject.Name != "bad" ||
			got[0].InvolvedObject.UID != "uid-of-bad" || got[0].Type != "Warning" || got[0].Reason != "CloudIdentityMalformed" || got[0].Count != 1 {
			t.Fatalf("events %+v", got)
		}
		for _, part := range []string{"WI085", "ServiceAccount shop/bad", "fix: ", "and 1 more"} {
			if !strings.Contains(got[0].Message, part) {
				t.Errorf("the event does not say %q: %s", part, got[0].Message)
			}
		}
		if n := len(got[0].Message); n > 1024 {
			t.Errorf("a message of %d bytes: an API server takes 1024", n)
		}
	})
}

// TestMalformedEventIsWrittenOnce: a replica does not try again in each pass.
func TestMalformedEventIsWrittenOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := map[string]string{"eks.amazonaws.com/role-arn": "orders"}
		a, client := newAuditor(t, accounts{"shop/bad": bad})
		account(t, client, "shop", "bad", bad)
		creates := 0
		client.PrependReactor("create", "events", func(clienttesting.Action) (bool, runtime.Object, error) {
			creates++
			return false, nil, nil
		})
		audited(t, a, 50*time.Minute)
		if creates != 1 {
			t.Errorf("tried %d times in an hour", creates)
		}
	})
}

// TestMalformedMessageFits: what an API server takes is 1024 bytes, of which the number of
// the other problems is a part.
func TestMalformedMessageFits(t *testing.T) {
	long := serviceaccount.Problem{Code: "WI001", Where: "ServiceAccount shop/bad", Message: strings.Repeat("m", 2000)}
	for name, test := range map[string]struct {
		problems []serviceaccount.Problem
		length   int
		end      string
	}{
		"one problem": {[]serviceaccount.Problem{long}, 1024, "m..."},
		"three":       {[]serviceaccount.Problem{long, long, long}, 1005, "m... (and 2 more)"},
	} {
		t.Run(name, func(t *testing.T) {
			a, client := newAuditor(t, nil)
			a.reported = map[types.UID]time.Time{}
			if err := a.reportMalformed(t.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "bad"}}, test.problems); err != nil {
				t.Fatal(err)
			}
			if got := events(t, client)[0].Message; len(got) != test.length || !strings.HasSuffix(got, test.end) {
				t.Errorf("%d bytes: %s", len(got), got)
			}
		})
	}
}

// TestLogTellsOfMalformed: once, with the code of the first problem; and of an event that is
// refused.
func TestLogTellsOfMalformed(t *testing.T) {
	for name, test := range map[string]struct {
		err  error // of creating an Event
		want []string
	}{
		"written": {nil, []string{`level=WARN msg="ServiceAccount is malformed" namespace=shop serviceAccount=bad problem=WI001`}},
		"refused": {apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, "shop"), []string{`level=DEBUG msg="Event refused" namespace=shop serviceAccount=bad error="namespaces \"shop\" not found"`}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				bad := map[string]string{"eks.amazonaws.com/role-arn": "orders"}
				a, client := newAuditor(t, accounts{"shop/bad": bad})
				account(t, client, "shop", "bad", bad)
				client.PrependReactor("create", "events", func(clienttesting.Action) (bool, runtime.Object, error) { return test.err != nil, nil, test.err })
				var log bytes.Buffer
				a.Log = textLog(&log)
				audited(t, a, 5*time.Minute)
				if diff := cmp.Diff(test.want, lines(&log)); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// TestMalformedEventsAreBounded: as those of pods are.
func TestMalformedEventsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := map[string]string{"eks.amazonaws.com/role-arn": strings.Repeat("x", 4000)}
		known := accounts{}
		a, client := newAuditor(t, known)
		for i := range 210 {
			name := fmt.Sprintf("%08d", i)
			known["shop/"+name] = bad
			account(t, client, "shop", name, bad)
		}
		if pass := audited(t, a, 50*time.Second); pass.Malformed != 210 {
			t.Errorf("last pass %+v", pass)
		}
		if n := len(events(t, client)); n != 200 {
			t.Errorf("%d events after one pass", n)
		}
	})
}

// TestMalformedAndTheAPIServer: a pass in which a ServiceAccount could not be read, or its
// event not be written, is not complete; one that a namespace does not take is nobody's
// failure.
func TestMalformedAndTheAPIServer(t *testing.T) {
	down := apierrors.NewInternalError(errors.New("down"))
	for name, test := range map[string]struct {
		verb, resource string
		err            error
		complete       bool
	}{
		"unreadable":                 {"get", "serviceaccounts", down, false},
		"no event written":           {"create", "events", down, false},
		"events are forbidden there": {"create", "events", apierrors.NewForbidden(schema.GroupResource{Resource: "events"}, "", nil), true},
		"the namespace has gone":     {"create", "events", apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, "shop"), true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				bad := map[string]string{"eks.amazonaws.com/role-arn": "orders"}
				a, client := newAuditor(t, accounts{"shop/bad": bad})
				account(t, client, "shop", "bad", bad)
				client.PrependReactor(test.verb, test.resource, func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, test.err })
				stop := start(t, a)
				time.Sleep(30 * time.Second)
				synctest.Wait()
				pass, complete := a.LastPass()
				stop()
				if complete != test.complete || complete && pass.Malformed != 1 {
					t.Errorf("complete %t, %+v", complete, pass)
				}
			})
		})
	}
}
