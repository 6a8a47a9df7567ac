package main

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

func (c *cluster) client() (kubernetes.Interface, error) {
	config, err := clientcmd.BuildConfigFromFlags("", c.Kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS = -1
	return kubernetes.NewForConfig(config)
}

// openDiscovery lets anybody read the issuer's discovery document and keys, as
// the clouds do; Kubernetes itself only lets authenticated users.
func (c *cluster) openDiscovery(ctx context.Context) error {
	k, err := c.client()
	if err != nil {
		return err
	}
	_, err = k.RbacV1().ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "issuer-discovery-for-everybody"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "system:service-account-issuer-discovery"},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "Group", Name: "system:unauthenticated"}},
	}, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// waitServiceAccounts waits until the controller makes default ServiceAccounts:
// without one no pod can be created.
func (c *cluster) waitServiceAccounts(ctx context.Context) error {
	k, err := c.client()
	if err != nil {
		return err
	}
	if !waitUntil(ctx, apiPatience, func() bool {
		_, err := k.CoreV1().ServiceAccounts("default").Get(ctx, "default", metav1.GetOptions{})
		return err == nil
	}) {
		return fmt.Errorf("no default ServiceAccount: see %s", c.path("log", "kube-controller-manager.log"))
	}
	return nil
}

func (c *cluster) waitNode(ctx context.Context) error {
	k, err := c.client()
	if err != nil {
		return err
	}
	why := "it has not registered"
	if !waitUntil(ctx, 120*time.Second, func() bool {
		node, err := k.CoreV1().Nodes().Get(ctx, nodeName, metav1.GetOptions{})
		if err != nil {
			return false
		}
		for _, condition := range node.Status.Conditions {
			if condition.Type == corev1.NodeReady {
				why = condition.Message
				return condition.Status == corev1.ConditionTrue
			}
		}
		return false
	}) {
		return fmt.Errorf("node not Ready: %s (see %s)", why, c.path("log", "kubelet.log"))
	}
	return nil
}

func (c *cluster) firstServiceIP() string {
	return netip.MustParsePrefix(c.ServiceSubnet).Addr().Next().String()
}
