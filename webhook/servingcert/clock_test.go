package servingcert

import (
	"bytes"
	"crypto/x509"
	"testing"
	"testing/synctest"
	"time"
)

// TestReplicasClockDecidesNothing: a replica whose clock is wrong, by minutes or a year,
// neither rotates everybody's CA nor makes certificates that are not valid.
func TestReplicasClockDecidesNothing(t *testing.T) {
	for name, ahead := range map[string]time.Duration{
		"6 minutes ahead": -6 * time.Minute, "an hour behind": time.Hour, "a year ahead": -caLife, "a year behind": caLife, "20 years ahead": -20 * caLife,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAPI(mutating(), endpoints("a"))
				a.ahead = ahead
				ca := mustCA(t, a.now())
				if err := a.Tracker().Add(secretWith(authorities{current: ca})); err != nil {
					t.Fatal(err)
				}
				s := newSource(a, "a")
				defer start(t, s)()
				time.Sleep(time.Hour)
				mustTrust(t, a, s)
				if d := a.now().Sub(s.Now()); d.Abs() > time.Second { // by which it tells whether it is ready
					t.Errorf("takes the time for %s, which it was %s ago", s.Now(), d)
				}
				if secret := a.secret(t); !bytes.Equal(secret.Data[keyCert], ca.certPEM) || secret.Data[keyNextCert] != nil {
					t.Error("everybody's CA is rotated")
				}
				a.deleteSecret(t) // and what it makes itself is valid
				alwaysTrust(t, a, 5*time.Minute, s)
				if bytes.Equal(a.secret(t).Data[keyCert], ca.certPEM) {
					t.Error("the rotation did not end")
				}
			})
		})
	}
}

// TestClocksOfAPIServersDiffer: one is asked for the time, another, 14 hours behind or
// ahead, judges.
func TestClocksOfAPIServersDiffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, replicas := cluster(t)
		for _, differs := range []time.Duration{-14 * time.Hour, 14 * time.Hour} {
			if err := distrust(replicas[0], a.bundles(t), a.now().Add(differs)); err != nil {
				t.Errorf("by %s: %v", differs, err)
			}
		}
	})
}

// TestClockIsReadSometimes: a change costs no request for the time, and a clock that is
// set right is noticed.
func TestClockIsReadSometimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(mutating())
		s := newSource(a, "")
		if !s.Now().Equal(time.Now()) {
			t.Errorf("%s, and nobody was asked", s.Now())
		}
		for range 10 {
			if err := s.check(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if a.timesAsked() != 1 {
			t.Errorf("asked %d times in a moment", a.timesAsked())
		}
		a.ahead = time.Hour
		time.Sleep(readEvery)
		if now, err := s.now(t.Context()); err != nil || !now.Equal(a.now()) || !s.Now().Equal(now) {
			t.Errorf("%s, %v, want %s", now, err, a.now())
		}
		time.Sleep(readEvery / 2)
		if now, err := s.now(t.Context()); err != nil || !now.Equal(a.now()) || a.timesAsked() != 2 {
			t.Errorf("%s, %v, want %s by the second reading", now, err, a.now())
		}
	})
}

// TestLeaf: for the Services' names alone, a week, and renewed by half of it.
func TestLeaf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(mutating())
		s := newSource(a, "")
		check := func() *x509.Certificate {
			if err := s.check(t.Context()); err != nil {
				t.Fatal(err)
			}
			leaf, err := s.Certificate(nil)
			if err != nil {
				t.Fatal(err)
			}
			return leaf.Leaf
		}
		first := check()
		if !first.NotAfter.Equal(a.now().Add(leafLife)) || first.IsCA {
			t.Errorf("the leaf ends %s, CA %t", first.NotAfter, first.IsCA)
		}
		if got := first.Subject.CommonName; got != "podpass-webhook.podpass-system.svc" {
			t.Errorf("for %s", got)
		}
		if err := first.VerifyHostname("another.podpass-system.svc"); err == nil {
			t.Error("for any name")
		}
		time.Sleep(leafLife/2 - time.Second)
		if !check().Equal(first) {
			t.Error("renewed before half of its life has gone")
		}
		time.Sleep(time.Second)
		if second := check(); second.Equal(first) || !second.NotAfter.Equal(a.now().Add(leafLife)) {
			t.Error("not renewed when half of its life has gone")
		}
	})
}
