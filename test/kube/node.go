package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

const pauseImage = "podpass.io/pause:dev"

// startNetwork makes the bridge before anything needs its address: the API
// server's issuer is there, and so are the servers that pods reach.
func (c *cluster) startNetwork(ctx context.Context) error {
	for _, args := range [][]string{
		{"link", "add", c.Bridge, "type", "bridge"},
		{"addr", "add", c.GatewayIP + "/24", "dev", c.Bridge},
		{"link", "set", c.Bridge, "up"},
		// Gives the API server a way, and a source address, to Services' addresses.
		{"route", "add", c.ServiceSubnet, "dev", c.Bridge},
	} {
		if err := command1(ctx, "ip", args...); err != nil {
			return err
		}
	}
	return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644)
}

func (c *cluster) startContainerd(ctx context.Context) error {
	// Pods need no address outside this machine, so there is no masquerading and no
	// iptables rule of CNI's to remove again.
	cni := fmt.Sprintf(`{"cniVersion":"0.4.0","name":%[1]q,"plugins":[
  {"type":"bridge","bridge":%[1]q,"isGateway":true,"hairpinMode":true,"ipMasq":false,
   "ipam":{"type":"host-local","dataDir":%[2]q,"ranges":[[{"subnet":%[3]q}]],"routes":[{"dst":"0.0.0.0/0"}]}},
  {"type":"loopback"}]}`, c.Bridge, c.path("cni-ipam"), c.Subnet)
	config := fmt.Sprintf(`version = 2
root = %[1]q
state = %[2]q
[grpc]
  address = %[3]q
[debug]
  level = "warn"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = %[4]q
  restrict_oom_score_adj = true
  disable_apparmor = true
  disable_tcp_service = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = %[5]q
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
`, c.path("containerd"), c.run("containerd"), c.run("containerd.sock"), pauseImage, c.path("cni"))
	if err := os.MkdirAll(c.path("cni"), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(c.path("cni", "10-bridge.conflist"), []byte(cni), 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(c.path("containerd.toml"), []byte(config), 0o600); err != nil {
		return err
	}
	path, err := exec.LookPath("containerd")
	if err != nil {
		return err
	}
	if err := c.spawn("containerd", path, "--config", c.path("containerd.toml")); err != nil {
		return err
	}
	if !waitUntil(ctx, 30*time.Second, func() bool { return c.ctr(ctx, "version") == nil }) {
		return fmt.Errorf("containerd does not answer: see %s", c.path("log", "containerd.log"))
	}
	return nil
}

func (c *cluster) ctr(ctx context.Context, args ...string) error {
	return command1(ctx, "ctr", append([]string{"--address", c.run("containerd.sock"), "--namespace", "k8s.io"}, args...)...)
}

func (c *cluster) startKubelet() error {
	config := fmt.Sprintf(`apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: %[1]q
port: %[2]d
healthzPort: %[3]d
authentication:
  x509: {clientCAFile: %[4]q}
  anonymous: {enabled: false}
  webhook: {enabled: false}
authorization: {mode: AlwaysAllow}
tlsCertFile: %[5]q
tlsPrivateKeyFile: %[6]q
containerRuntimeEndpoint: "unix://%[7]s"
cgroupDriver: cgroupfs
cgroupRoot: /%[8]s
failCgroupV1: false
failSwapOn: false
enforceNodeAllocatable: []
evictionHard: {memory.available: 1Mi, nodefs.available: "0%%", nodefs.inodesFree: "0%%", imagefs.available: "0%%", imagefs.inodesFree: "0%%"}
imageMinimumGCAge: 87600h
resolvConf: ""
clusterDNS: []
syncFrequency: 10s
nodeStatusUpdateFrequency: 5s
maxPods: 110
podLogsDir: %[9]q
shutdownGracePeriod: 0s
`, c.GatewayIP, c.Ports.Kubelet, c.Ports.KubeletHealth, c.CAFile, c.path("pki", "kubelet.crt"), c.path("pki", "kubelet.key"),
		c.run("containerd.sock"), c.cgroup(), c.path("pod-logs"))
	if err := os.WriteFile(c.path("kubelet.yaml"), []byte(config), 0o600); err != nil {
		return err
	}
	return c.component("kubelet", "--config="+c.path("kubelet.yaml"), "--kubeconfig="+c.path("pki", "kubelet.kubeconfig"),
		"--root-dir="+c.path("kubelet"), "--cert-dir="+c.path("pki"), "--hostname-override="+nodeName, "--node-ip="+c.GatewayIP)
}

func (c *cluster) startProxy() error {
	config := fmt.Sprintf(`apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {kubeconfig: %[1]q}
mode: iptables
hostnameOverride: %[2]s
healthzBindAddress: 127.0.0.1:%[3]d
metricsBindAddress: 127.0.0.1:%[4]d
clusterCIDR: %[5]s
iptables: {minSyncPeriod: 0s}
conntrack: {maxPerCore: 0}
`, c.path("pki", "proxy.kubeconfig"), nodeName, c.Ports.ProxyHealth, c.Ports.ProxyMetrics, c.Subnet)
	if err := os.WriteFile(c.path("kube-proxy.yaml"), []byte(config), 0o600); err != nil {
		return err
	}
	return c.component("kube-proxy", "--config="+c.path("kube-proxy.yaml"))
}

// cgroup is the parent of all pods' cgroups: whatever runs below it is ours.
func (c *cluster) cgroup() string { return "pp-" + c.ID }

// command1 runs a command; its error holds what the command said.
func command1(ctx context.Context, name string, args ...string) error {
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
