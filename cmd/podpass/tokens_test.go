package main

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/podpass-io/podpass/federation/azure"
	"github.com/podpass-io/podpass/test/cloud/signer"
)

// sign gives an API server a key, and the script a token of shop/orders for Azure: $WORK/token.
func (s *standIn) sign(env *testscript.Env) error {
	var err error
	if s.signer, err = signer.New(); err != nil {
		return err
	}
	env.Defer(s.signer.Close)
	if s.JWKS, err = s.signer.JWKS(); err != nil {
		return err
	}
	token, err := s.mint("shop", "orders", []string{azure.DefaultAudience}, time.Hour)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(env.WorkDir, "token"), []byte(token), 0o600)
}

// token answers a TokenRequest.
func (s *standIn) token(w http.ResponseWriter, r *http.Request, namespace, account string) {
	body, err := io.ReadAll(r.Body)
	in := new(authenticationv1.TokenRequest) // in JSON or Protobuf
	if err == nil {
		_, _, err = scheme.Codecs.UniversalDeserializer().Decode(body, nil, in)
	}
	if err != nil {
		status(w, http.StatusBadRequest, "BadRequest")
		return
	}
	token, err := s.mint(namespace, account, in.Spec.Audiences, time.Duration(*in.Spec.ExpirationSeconds)*time.Second)
	if err != nil {
		status(w, http.StatusInternalServerError, "InternalError")
		return
	}
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(map[string]any{"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "status": map[string]string{"token": token}})
}

func (s *standIn) mint(namespace, account string, audiences []string, life time.Duration) (string, error) {
	now := time.Now()
	claims := map[string]any{
		"iss": s.Issuer, "sub": "system:serviceaccount:" + namespace + ":" + account, "aud": audiences, "iat": now.Unix(), "exp": now.Add(life).Unix(),
		"kubernetes.io": map[string]any{"namespace": namespace, "serviceaccount": map[string]string{"name": account}},
	}
	if s.signer != nil {
		return s.signer.Sign(claims)
	}
	var set struct{ Keys []struct{ KID, Alg string } }
	if err := json.Unmarshal([]byte(cmp.Or(string(s.JWKS), "{}")), &set); err != nil || len(set.Keys) == 0 {
		return "", cmp.Or(err, io.ErrUnexpectedEOF)
	}
	head, err := json.Marshal(map[string]string{"alg": set.Keys[0].Alg, "kid": set.Keys[0].KID})
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(claims)
	encode := base64.RawURLEncoding.EncodeToString
	return encode(head) + "." + encode(payload) + ".bm9uZQ", err
}
