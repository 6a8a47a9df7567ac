package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

// issueAll makes the certificates, keys and kubeconfigs.
func (c *cluster) issueAll() error {
	a, err := newAuthority(c.path("pki"))
	if err != nil {
		return err
	}
	if err := a.signingKey("service-account.key"); err != nil {
		return err
	}
	hosts := []string{"127.0.0.1", "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", c.firstServiceIP()}
	if c.GatewayIP != "" {
		hosts = append(hosts, c.GatewayIP)
	}
	for _, i := range []struct {
		name, commonName, organization string
		hosts                          []string
	}{
		{"apiserver", "kube-apiserver", "", hosts},
		{"apiserver-kubelet", "apiserver-kubelet", "system:masters", nil},
		{"admin", "admin", "system:masters", nil},
		{"controller-manager", "system:kube-controller-manager", "", nil},
		{"scheduler", "system:kube-scheduler", "", nil},
		{"proxy", "system:kube-proxy", "", nil},
		{"kubelet", "system:node:" + nodeName, "system:nodes", []string{nodeName, "127.0.0.1", c.host()}},
	} {
		if err := a.issue(i.name, i.commonName, i.organization, i.hosts...); err != nil {
			return fmt.Errorf("certificate %s: %w", i.name, err)
		}
		if err := a.kubeconfig(c.path("pki", i.name+".kubeconfig"), c.Server, i.name); err != nil {
			return err
		}
	}
	return a.kubeconfig(c.Kubeconfig, c.Server, "admin")
}

func (c *cluster) host() string {
	if c.GatewayIP != "" {
		return c.GatewayIP
	}
	return "127.0.0.1"
}

func (c *cluster) startEtcd() error {
	client := fmt.Sprintf("http://127.0.0.1:%d", c.Ports.Etcd)
	peer := fmt.Sprintf("http://127.0.0.1:%d", c.Ports.EtcdPeer)
	return c.component("etcd", "--name", "podpass", "--data-dir", c.path("etcd"),
		"--listen-client-urls", client, "--advertise-client-urls", client,
		"--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", "podpass="+peer,
		"--unsafe-no-fsync", "--log-level", "warn") // the data need not outlive the machine
}

func (c *cluster) startAPIServer() error {
	pki := func(name string) string { return c.path("pki", name) }
	args := []string{
		"--bind-address=0.0.0.0", fmt.Sprintf("--secure-port=%d", c.Ports.API), "--advertise-address=" + c.advertise(),
		"--etcd-servers=" + fmt.Sprintf("http://127.0.0.1:%d", c.Ports.Etcd),
		"--client-ca-file=" + pki("ca.crt"), "--tls-cert-file=" + pki("apiserver.crt"), "--tls-private-key-file=" + pki("apiserver.key"),
		"--kubelet-client-certificate=" + pki("apiserver-kubelet.crt"), "--kubelet-client-key=" + pki("apiserver-kubelet.key"),
		"--kubelet-certificate-authority=" + pki("ca.crt"), "--kubelet-preferred-address-types=InternalIP",
		"--service-account-issuer=" + c.Issuer, "--service-account-jwks-uri=" + c.Issuer + "/openid/v1/jwks",
		"--service-account-key-file=" + pki("service-account.key"), "--service-account-signing-key-file=" + pki("service-account.key"),
		"--service-cluster-ip-range=" + c.ServiceSubnet, "--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction", "--allow-privileged=false",
		"--endpoint-reconciler-type=" + c.endpointReconciler(),
	}
	if c.AdmissionConfig != "" {
		args = append(args, "--admission-control-config-file="+c.AdmissionConfig)
	}
	return c.component("kube-apiserver", args...)
}

// advertise is the address of the Service "kubernetes"; the API server refuses a
// loopback address there.
func (c *cluster) advertise() string {
	if c.GatewayIP != "" {
		return c.GatewayIP
	}
	return "192.0.2.10" // TEST-NET-1: nothing connects to it without a node
}

func (c *cluster) endpointReconciler() string {
	if c.ControlPlaneOnly {
		return "none"
	}
	return "lease"
}

func (c *cluster) startControllerManager() error {
	config := "--kubeconfig=" + c.path("pki", "controller-manager.kubeconfig")
	return c.component("kube-controller-manager", config, "--bind-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", c.Ports.ControllerManager), "--leader-elect=false", "--use-service-account-credentials=true",
		"--service-account-private-key-file="+c.path("pki", "service-account.key"), "--root-ca-file="+c.path("pki", "ca.crt"),
		"--cert-dir="+c.path("pki", "controller-manager-serving"))
}

func (c *cluster) startScheduler() error {
	return c.component("kube-scheduler", "--kubeconfig="+c.path("pki", "scheduler.kubeconfig"), "--bind-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", c.Ports.Scheduler), "--leader-elect=false",
		"--cert-dir="+c.path("pki", "scheduler-serving"))
}

// component spawns a part of this binary.
func (c *cluster) component(name string, args ...string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return c.spawn(name, self, append([]string{name}, args...)...)
}

// apiPatience with an API server that starts: seconds on a machine of its own, more than a
// minute on one that builds and tests other things too.
const apiPatience = 4 * time.Minute

// waitAPI waits until the API server says that it is ready.
func (c *cluster) waitAPI(ctx context.Context) error {
	k, err := c.client()
	if err != nil {
		return err
	}
	var last error
	if waitUntil(ctx, apiPatience, func() bool {
		_, last = k.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
		return last == nil
	}) {
		return nil
	}
	log := c.path("log", "kube-apiserver.log")
	return fmt.Errorf("API server not ready: %w (see %s; it ends with:\n%s)", last, log, tail(log))
}

// tail is the end of a file, for an error.
func tail(file string) string {
	b, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-3000):])
}
