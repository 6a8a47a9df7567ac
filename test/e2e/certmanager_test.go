package e2e

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/podpass-io/podpass/test/testbed"
)

// TestCertManager: the chart leaves the certificates to cert-manager, and takes them
// back; a renewal costs no admission. What cert-manager does is done by the test, from
// the objects that the chart makes.
func TestCertManager(t *testing.T) {
	require(t)
	client := bed.Client(t)
	if err := bed.Apply(t.Context(), "", certManagerCRDs); err != nil {
		t.Fatal(err)
	}
	kubectl(t, "wait", "--for=condition=Established", "crd/issuers.cert-manager.io", "crd/certificates.cert-manager.io", "--timeout=30s")
	m := &certManager{client: client}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- m.run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("cert-manager's part: %v", err)
		}
		ctx := context.WithoutCancel(t.Context())
		if err := install(ctx); err != nil {
			t.Errorf("back to podpass's own certificates: %v", err)
		}
		// cert-manager keeps the Secrets of Certificates that are no more.
		kubectl(t, "delete", "secret", "-n", testbed.Namespace, "podpass-webhook-ca-tls", "podpass-webhook-tls")
		if _, err := bed.Kubectl(ctx, "delete", "crd", "issuers.cert-manager.io", "certificates.cert-manager.io"); err != nil {
			t.Error(err)
		}
	})
	if err := install(t.Context(), "--set", "certManager.enabled=true"); err != nil {
		t.Fatal(err)
	}
	setUpChaos(t, client)

	var y tally
	loading, enough := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		load(loading, client, &y, chaosRate)
	}()
	old := served(t, client)
	m.renew.Store(true)
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(time.Second) {
		// Kubelet looks at a pod's Secrets once a minute, and whenever the pod changes.
		// One of the former release may end meanwhile.
		if _, err := bed.Kubectl(t.Context(), "annotate", "pods", "--all", "-n", testbed.Namespace, "--overwrite", fmt.Sprintf("test=%d", time.Now().Unix())); err != nil && !strings.Contains(err.Error(), "NotFound") {
			t.Fatal(err)
		}
		renewed := 0
		for pod, serial := range served(t, client) {
			if serial != old[pod] {
				renewed++
			}
		}
		if renewed == len(old) && renewed > 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d of %d replicas have the new certificate", renewed, len(old))
		}
	}
	enough()
	<-ended
	t.Logf("%d pods created, %d of them opted in, %d not injected", y.created, y.optedIn, y.missed)
	if y.created < chaosRate || len(y.rejected)+len(y.unmutated)+len(y.unexpected) > 0 {
		t.Errorf("%d created; rejected: %.3q; unmutated: %.3q; unexpected: %.3q", y.created, y.rejected, y.unmutated, y.unexpected)
	}
}

// served are the serial numbers of the certificates that the replicas serve, by pod.
func served(t *testing.T, client kubernetes.Interface) map[string]string {
	t.Helper()
	pods, err := client.CoreV1().Pods(testbed.Namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "app.kubernetes.io/name=podpass"})
	if err != nil {
		t.Fatal(err)
	}
	serials := map[string]string{}
	for _, p := range pods.Items {
		if p.Status.PodIP == "" || p.DeletionTimestamp != nil {
			continue
		}
		conn, err := (&tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}).DialContext(t.Context(), "tcp", p.Status.PodIP+":10250") //nolint:gosec // to look at it
		if err != nil {
			t.Fatal(err)
		}
		serials[p.Name] = conn.(*tls.Conn).ConnectionState().PeerCertificates[0].SerialNumber.String()
		_ = conn.Close()
	}
	return serials
}

// certManager does cert-manager's part: it issues what Certificates ask for, by their
// Issuers, into Secrets, and writes the CA where inject-ca-from says so.
type certManager struct {
	client kubernetes.Interface
	renew  atomic.Bool // the leaf, once
}

type issuerSpec struct {
	SelfSigned *struct{} `json:"selfSigned"`
	CA         *struct {
		SecretName string `json:"secretName"`
	} `json:"ca"`
}

type certificateSpec struct {
	IsCA       bool     `json:"isCA"`
	CommonName string   `json:"commonName"`
	SecretName string   `json:"secretName"`
	DNSNames   []string `json:"dnsNames"`
	IssuerRef  struct {
		Name string `json:"name"`
	} `json:"issuerRef"`
}

func (m *certManager) run(ctx context.Context) error {
	for {
		if err := m.round(ctx); err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) && ctx.Err() == nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(300 * time.Millisecond):
		}
	}
}

func (m *certManager) round(ctx context.Context) error {
	var list struct {
		Items []struct {
			Metadata struct {
				Name string `json:"name"`
			} `json:"metadata"`
			Spec certificateSpec `json:"spec"`
		} `json:"items"`
	}
	if err := m.get(ctx, "certificates", &list); err != nil {
		return err
	}
	secrets := m.client.CoreV1().Secrets(testbed.Namespace)
	for _, c := range list.Items {
		have, err := secrets.Get(ctx, c.Spec.SecretName, metav1.GetOptions{})
		there := err == nil
		switch {
		case err != nil && !apierrors.IsNotFound(err):
			return err
		case there && (c.Spec.IsCA || !m.renew.CompareAndSwap(true, false)):
		default:
			if have, err = m.issue(ctx, c.Spec); apierrors.IsNotFound(err) {
				continue // its issuer's Secret comes first
			} else if err != nil {
				return err
			}
			if there {
				_, err = secrets.Update(ctx, have, metav1.UpdateOptions{})
			} else {
				_, err = secrets.Create(ctx, have, metav1.CreateOptions{})
			}
			if err != nil {
				return err
			}
		}
		if err := m.inject(ctx, testbed.Namespace+"/"+c.Metadata.Name, have.Data["ca.crt"]); err != nil {
			return err
		}
	}
	return nil
}

func (m *certManager) get(ctx context.Context, path string, into any) error {
	raw, err := m.client.CoreV1().RESTClient().Get().AbsPath("/apis/cert-manager.io/v1/namespaces/" + testbed.Namespace + "/" + path).DoRaw(ctx)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, into)
}

func (m *certManager) issue(ctx context.Context, spec certificateSpec) (*corev1.Secret, error) {
	var issuer struct {
		Spec issuerSpec `json:"spec"`
	}
	if err := m.get(ctx, "issuers/"+spec.IssuerRef.Name, &issuer); err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: spec.CommonName}, DNSNames: spec.DNSNames,
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true,
		IsCA: spec.IsCA, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if spec.IsCA {
		template.KeyUsage, template.ExtKeyUsage = x509.KeyUsageCertSign, nil
	}
	parent, signer := template, key
	var ca []byte
	switch {
	case issuer.Spec.CA != nil:
		secret, err := m.client.CoreV1().Secrets(testbed.Namespace).Get(ctx, issuer.Spec.CA.SecretName, metav1.GetOptions{})
		if err != nil {
			return nil, err
		}
		pair, err := tls.X509KeyPair(secret.Data["tls.crt"], secret.Data["tls.key"])
		if err != nil {
			return nil, err
		}
		parent, signer, ca = pair.Leaf, pair.PrivateKey.(*ecdsa.PrivateKey), secret.Data["tls.crt"]
	case issuer.Spec.SelfSigned == nil:
		return nil, errors.New("an issuer of a kind that the chart does not make")
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		return nil, err
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if ca == nil {
		ca = certificate
	}
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: spec.SecretName, Namespace: testbed.Namespace}, Type: corev1.SecretTypeTLS, Data: map[string][]byte{
		"tls.crt": certificate, "tls.key": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded}), "ca.crt": ca,
	}}, nil
}

// inject writes the CA into the configurations, of either kind, that ask for a
// Certificate's.
func (m *certManager) inject(ctx context.Context, from string, ca []byte) error {
	for _, kind := range []string{"mutatingwebhookconfigurations", "validatingwebhookconfigurations"} {
		path := "/apis/admissionregistration.k8s.io/v1/" + kind
		raw, err := m.client.CoreV1().RESTClient().Get().AbsPath(path).DoRaw(ctx)
		if err != nil {
			return err
		}
		var list struct {
			Items []struct {
				Metadata metav1.ObjectMeta `json:"metadata"`
				Webhooks []struct {
					ClientConfig struct {
						CABundle []byte `json:"caBundle"`
					} `json:"clientConfig"`
				} `json:"webhooks"`
			} `json:"items"`
		}
		if err := json.Unmarshal(raw, &list); err != nil {
			return err
		}
		for _, c := range list.Items {
			if c.Metadata.Annotations["cert-manager.io/inject-ca-from"] != from || bytes.Equal(c.Webhooks[0].ClientConfig.CABundle, ca) {
				continue
			}
			var patch []map[string]any
			for i := range c.Webhooks {
				patch = append(patch, map[string]any{"op": "add", "path": fmt.Sprintf("/webhooks/%d/clientConfig/caBundle", i), "value": ca})
			}
			body, err := json.Marshal(patch)
			if err != nil {
				return err
			}
			if err := m.client.CoreV1().RESTClient().Patch(types.JSONPatchType).AbsPath(path, c.Metadata.Name).Body(body).Do(ctx).Error(); err != nil {
				return err
			}
		}
	}
	return nil
}

// certManagerCRDs are as much of cert-manager's as its objects need to be kept.
var certManagerCRDs = crd("Issuer", "issuer") + crd("Certificate", "certificate")

func crd(kind, singular string) string {
	return fmt.Sprintf(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: %[2]ss.cert-manager.io}
spec:
  group: cert-manager.io
  scope: Namespaced
  names: {kind: %[1]s, singular: %[2]s, plural: %[2]ss, listKind: %[1]sList}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
---
`, kind, singular)
}
