package servingcert

import (
	"bytes"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// textLog leaves out what differs from run to run.
func textLog(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		switch a.Key {
		case slog.TimeKey, "ca", "notAfter", "error":
			return slog.Attr{}
		}
		return a
	}}))
}

// TestLogTellsOfARotation: each step, by the replica that took it, and whom it waits for.
func TestLogTellsOfARotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(mutating(), validating(), endpoints("a", "stuck"))
		s := newSource(a, "a")
		var log bytes.Buffer
		s.Log = textLog(&log)
		check := func(what string, want ...string) {
			t.Helper()
			log.Reset()
			if err := s.check(t.Context()); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			if diff := cmp.Diff(strings.Join(append(want, ""), "\n"), log.String()); diff != "" {
				t.Errorf("%s: %s", what, diff)
			}
		}
		const published = "level=INFO msg=\"Published the CA\" kind=MutatingWebhookConfiguration registration=podpass\n" +
			"level=INFO msg=\"Published the CA\" kind=ValidatingWebhookConfiguration registration=podpass"
		check("at first", `level=INFO msg="CA rotation" step="made a CA"`, published, `level=INFO msg="Signed a serving certificate"`)
		check("nothing to do")
		a.deleteSecret(t)
		check("deleted", `level=INFO msg="CA rotation" step="put back the CA in use, with a next one"`, published)
		time.Sleep(time.Minute - time.Second)
		check("not published for a minute")
		time.Sleep(time.Second)
		check("another replica is missing", `level=INFO msg="CA rotation waits for a replica" replica=stuck`)
		if err := a.Tracker().Update(discoveryv1.SchemeGroupVersion.WithResource("endpointslices"), endpoints("a"), namespace); err != nil {
			t.Fatal(err)
		}
		check("it has gone", `level=INFO msg="CA rotation" step="signing with the next CA"`, published, `level=INFO msg="Signed a serving certificate"`)
		check("done")
	})
}

// TestLogTellsOfTrouble: that something is wrong, and that it is over; replicas that get
// in one another's way are no trouble. How often is tried: after 1, 2, 4 and more
// seconds, by half as much longer at most, up to 30; after a conflict within two.
func TestLogTellsOfTrouble(t *testing.T) {
	conflict := apierrors.NewConflict(schema.GroupResource{Resource: "x"}, "x", nil)
	exists := apierrors.NewAlreadyExists(schema.GroupResource{Resource: "x"}, "x")
	for name, test := range map[string]struct {
		verb, resource string
		err            error
		after          time.Duration
		least, most    int // attempts by then
		says, over     string
	}{
		"away, at first": {"create", "selfsubjectreviews", apierrors.NewServiceUnavailable("away"), 12 * time.Second, 4, 4, "level=ERROR msg=\"Serving certificate or its registration is not as it should be\"", "level=INFO msg=\"Serving certificate and its registration are as they should be again\""},
		"away, for long": {"create", "selfsubjectreviews", apierrors.NewServiceUnavailable("away"), 10 * time.Minute, 17, 25, "level=ERROR msg=\"Serving certificate or its registration is not as it should be\"", "level=INFO msg=\"Serving certificate and its registration are as they should be again\""},
		"conflict":       {"patch", "mutatingwebhookconfigurations", conflict, 10 * time.Minute, 360, 440, "level=DEBUG msg=\"Serving certificate: another replica was faster\"", ""},
		"already there":  {"create", "secrets", exists, 10 * time.Minute, 360, 440, "level=DEBUG msg=\"Serving certificate: another replica was faster\"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAPI(mutating(), validating())
				attempts := 0 // under the lock of a
				a.set(func(verb, resource string) error {
					if verb != test.verb || resource != test.resource {
						return nil
					}
					attempts++
					return test.err
				})
				s := newSource(a, "")
				var log bytes.Buffer
				s.Log = textLog(&log)
				stop := start(t, s)
				time.Sleep(test.after)
				synctest.Wait()
				a.set(nil)
				time.Sleep(5 * time.Minute)
				stop()
				if attempts < test.least || attempts > test.most {
					t.Errorf("%d attempts in %s, want %d to %d", attempts, test.after, test.least, test.most)
				}
				text := log.String()
				// Afterwards the cache may be behind, which is a conflict too.
				if n := strings.Count(text, test.says); n < attempts || test.over != "" && n > attempts {
					t.Errorf("%d of %d attempts are in the log", n, attempts)
				}
				if strings.Contains(text, "level=ERROR") != (test.over != "") || test.over != "" && strings.Count(text, test.over) != 1 || test.over == "" && strings.Contains(text, "again") {
					t.Errorf("log: %s", text)
				}
			})
		})
	}
}

// TestErrorsOfARotation: what cannot be asked or written in the midst of one is named,
// and the leaf that is trusted stays.
func TestErrorsOfARotation(t *testing.T) {
	for name, test := range map[string]struct{ verb, resource, want string }{
		"acknowledge":   {"update", "secrets", "acknowledge the next CA in secret podpass-system/ca: "},
		"list replicas": {"list", "endpointslices", "list the replicas of service podpass-system/podpass-webhook: "},
		"move on":       {"update", "secrets", "write secret podpass-system/ca: "},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAPI(mutating(), validating(), endpoints("a"))
				s := newSource(a, "a")
				for range 2 {
					if err := s.check(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				a.deleteSecret(t)
				if name != "acknowledge" {
					if err := s.check(t.Context()); err != nil {
						t.Fatal(err)
					}
					time.Sleep(overlap)
				}
				before := s.leaf.Load()
				a.set(func(verb, resource string) error {
					if verb == test.verb && resource == test.resource {
						return apierrors.NewForbidden(schema.GroupResource{Resource: resource}, "x", nil)
					}
					return nil
				})
				if err := s.check(t.Context()); !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), test.want) {
					t.Errorf("%v, want %q", err, test.want)
				}
				if s.leaf.Load() != before {
					t.Error("another leaf")
				}
				mustTrust(t, a, s)
			})
		})
	}
}

// TestNothingSignsAnyMore: where the Secret cannot be read and the CA of before has ended,
// that is an error too, and not a leaf that nobody trusts.
func TestNothingSignsAnyMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(mutating(), endpoints())
		s := newSource(a, "")
		if err := s.check(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(caLife + time.Second)
		a.set(func(verb, resource string) error {
			if verb == "get" && resource == "secrets" {
				return apierrors.NewForbidden(corev1.Resource("secrets"), "ca", nil)
			}
			return nil
		})
		err := s.check(t.Context())
		if err == nil || !strings.Contains(err.Error(), "read secret podpass-system/ca: ") || !strings.Contains(err.Error(), "sign the serving certificate: CA CN=podpass webhook CA ") {
			t.Errorf("%v", err)
		}
	})
}
