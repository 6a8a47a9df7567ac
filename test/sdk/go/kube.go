package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
)

// kubeCheck is a client of another cluster: it finds that cluster, its CA and the token by
// the kubeconfig, and asks its API server who it is.
type kubeCheck struct{}

func (*kubeCheck) describe() (sdk, source string) { return "net/http", os.Getenv("KUBECONFIG") }

func (*kubeCheck) run(ctx context.Context, r *result) error {
	at, err := readKubeconfig(os.Getenv("KUBECONFIG"))
	if err != nil {
		return err
	}
	token, err := os.ReadFile(at.tokenFile)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(at.ca) {
		return errors.New("the kubeconfig has no CA")
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}
	const review = `{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}`
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, at.server+"/apis/authentication.k8s.io/v1/selfsubjectreviews", bytes.NewReader([]byte(review)))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+string(bytes.TrimSpace(token)))
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return err
	}
	var who struct {
		Status struct {
			UserInfo struct{ Username string }
		}
	}
	if resp.StatusCode != http.StatusCreated || json.Unmarshal(body, &who) != nil {
		return fmt.Errorf("%s answers %s: %s", at.server, resp.Status, body)
	}
	r.Identity = who.Status.UserInfo.Username + " at " + at.name
	return nil
}

// place is what a kubeconfig says of its current context.
type place struct {
	name, server, tokenFile string
	ca                      []byte
}

// readKubeconfig reads one in JSON, of which each context, cluster and user have one name.
func readKubeconfig(file string) (place, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return place{}, err
	}
	var config struct {
		Current  string `json:"current-context"`
		Clusters []struct {
			Name    string
			Cluster struct {
				Server string
				CA     []byte `json:"certificate-authority-data"`
			}
		}
		Users []struct {
			Name string
			User struct {
				TokenFile string `json:"tokenFile"`
			}
		}
	}
	if err := json.Unmarshal(raw, &config); err != nil {
		return place{}, fmt.Errorf("%s: %w", file, err)
	}
	p := place{name: config.Current}
	for _, c := range config.Clusters {
		if c.Name == p.name {
			p.server, p.ca = c.Cluster.Server, c.Cluster.CA
		}
	}
	for _, u := range config.Users {
		if u.Name == p.name {
			p.tokenFile = u.User.TokenFile
		}
	}
	return p, nil
}
