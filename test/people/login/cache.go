package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// kept is what one file of the cache holds.
type kept struct {
	IDToken      string `json:"id_token"`
	RefreshToken string `json:"refresh_token,omitempty"`
}

// token is a valid ID token: the one that is kept, or a new one by the refresh token, or by
// the person. Two at once wait for one another, so that a person logs in once.
func (o *options) token(ctx context.Context) (token string, expiry time.Time, err error) {
	key, err := json.Marshal([]any{o.issuer, o.client, o.ca, o.scopes, o.params})
	if err != nil {
		return "", time.Time{}, err
	}
	if err := os.MkdirAll(o.cacheDir, 0o700); err != nil {
		return "", time.Time{}, err
	}
	sum := sha256.Sum256(key)
	name := filepath.Join(o.cacheDir, hex.EncodeToString(sum[:]))
	lock, err := os.OpenFile(name+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", time.Time{}, err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", time.Time{}, err
	}
	var have kept
	raw, err := os.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(raw, &have)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", time.Time{}, fmt.Errorf("read the token cache: %w", err)
	}
	got, expiry, err := o.renew(ctx, have)
	if err != nil {
		return "", time.Time{}, err
	}
	if got == have {
		return got.IDToken, expiry, nil
	}
	raw, err = json.Marshal(got)
	if err != nil {
		return "", time.Time{}, err
	}
	return got.IDToken, expiry, os.WriteFile(name, raw, 0o600)
}

// renew gives back what is kept as long as it is valid.
func (o *options) renew(ctx context.Context, have kept) (kept, time.Time, error) {
	if have.IDToken != "" {
		// Its signature was verified when it came.
		unverified := oidc.NewVerifier(o.issuer, nil, &oidc.Config{ClientID: o.client, InsecureSkipSignatureCheck: true})
		if token, err := unverified.Verify(ctx, have.IDToken); err == nil {
			return have, token.Expiry, nil
		}
	}
	l, err := o.discover(ctx)
	if err != nil {
		return kept{}, time.Time{}, err
	}
	if have.RefreshToken != "" {
		got, expiry, err := l.refresh(have.RefreshToken)
		if err == nil {
			return got, expiry, nil
		}
		fmt.Fprintln(os.Stderr, "could not refresh the token:", err)
	}
	if o.grant == "device-code" {
		return l.device()
	}
	return l.code()
}
