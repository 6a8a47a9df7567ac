// Flux has Flux' own code make a client for another cluster, as its controllers do, and
// prints who that cluster says that the client is:
//
//	flux configmap NAMESPACE SERVICEACCOUNT <configmap.yaml   of provider: generic
//	flux secret <kubeconfig                                   what secretRef names
//
// KUBECONFIG is that of the cluster that Flux runs in.
//
// It is a module of its own for the sake of Flux' packages. Flux finds the provider by its
// name in a package that links each cloud's SDK; here it is generic's alone.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/auth"
	"github.com/fluxcd/pkg/auth/generic"
	runtime "github.com/fluxcd/pkg/runtime/client"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	raw, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	var config *rest.Config
	switch {
	case len(args) == 3 && args[0] == "configmap":
		config, err = ofConfigMap(ctx, args[1], args[2], raw)
	case len(args) == 1 && args[0] == "secret":
		config, err = runtime.KubeConfigFromBytes(raw)
	default:
		return errors.New("want configmap NAMESPACE SERVICEACCOUNT, or secret")
	}
	if err != nil {
		return err
	}
	c, err := kubernetes.NewForConfig(runtime.KubeConfig(ctx, config, runtime.KubeConfigOptions{}))
	if err != nil {
		return err
	}
	review, err := c.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(review.Status.UserInfo)
}

// ofConfigMap asks the cluster that Flux runs in for a token of the ServiceAccount.
func ofConfigMap(ctx context.Context, namespace, account string, raw []byte) (*rest.Config, error) {
	var m corev1.ConfigMap
	if err := yaml.Unmarshal(raw, &m); err != nil {
		return nil, err
	}
	if m.Data[meta.KubeConfigKeyProvider] != generic.ProviderName {
		return nil, fmt.Errorf("provider %q", m.Data[meta.KubeConfigKeyProvider])
	}
	own, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		return nil, err
	}
	c, err := client.New(own, client.Options{})
	if err != nil {
		return nil, err
	}
	// A ServiceAccount of its own for each object is what controllers are told to allow, by
	// --feature-gates=ObjectLevelWorkloadIdentity=true.
	auth.EnableObjectLevelWorkloadIdentity()
	got, err := auth.GetRESTConfig(ctx, generic.Provider{}, auth.WithClient(c),
		auth.WithServiceAccountNamespace(namespace), auth.WithServiceAccountName(account), auth.WithAudiences(strings.Fields(m.Data[meta.KubeConfigKeyAudiences])...),
		auth.WithClusterAddress(m.Data[meta.KubeConfigKeyAddress]), auth.WithCAData(m.Data[meta.KubeConfigKeyCACert]))
	if err != nil {
		return nil, err
	}
	return &rest.Config{Host: got.Host, BearerToken: got.BearerToken, TLSClientConfig: rest.TLSClientConfig{CAData: got.CAData}}, nil
}
