package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"path/filepath"
)

// cluster is a cluster on this machine: where everything of it is. It is written
// to DIR/state.json before the first process starts, so that whatever a killed
// run left behind can be found.
type cluster struct {
	Dir string `json:"dir"`
	// RunDir holds the unix sockets; their paths may have 107 bytes only.
	RunDir           string `json:"runDir"`
	ID               string `json:"id"`
	ControlPlaneOnly bool   `json:"controlPlaneOnly"`
	// AdmissionConfig, if not empty, is the file of the API server's --admission-control-config-file.
	AdmissionConfig string  `json:"admissionConfig,omitempty"`
	Server          string  `json:"server"`
	Issuer          string  `json:"issuer"`
	Kubeconfig      string  `json:"kubeconfig"`
	CAFile          string  `json:"caFile"`
	Bridge          string  `json:"bridge,omitempty"`
	Subnet          string  `json:"subnet,omitempty"`
	GatewayIP       string  `json:"gatewayIP,omitempty"`
	ServiceSubnet   string  `json:"serviceSubnet"`
	Ports           ports   `json:"ports"`
	Processes       []*proc `json:"processes"`
}

type ports struct {
	API, Etcd, EtcdPeer, ControllerManager, Scheduler, Kubelet, KubeletHealth, ProxyHealth, ProxyMetrics int
}

const nodeName = "podpass-node"

// plan chooses names, ports and addresses that are free.
func plan(dir, admissionConfig string, controlPlaneOnly bool) (*cluster, error) {
	sum := sha256.Sum256([]byte(dir))
	id := hex.EncodeToString(sum[:3])
	c := &cluster{
		Dir: dir, ID: id, ControlPlaneOnly: controlPlaneOnly, AdmissionConfig: admissionConfig,
		RunDir:     filepath.Join(os.TempDir(), "pp-"+id),
		Kubeconfig: filepath.Join(dir, "kubeconfig"),
		CAFile:     filepath.Join(dir, "pki", "ca.crt"),
	}
	if err := freePorts(&c.Ports.API, &c.Ports.Etcd, &c.Ports.EtcdPeer, &c.Ports.ControllerManager, &c.Ports.Scheduler,
		&c.Ports.Kubelet, &c.Ports.KubeletHealth, &c.Ports.ProxyHealth, &c.Ports.ProxyMetrics); err != nil {
		return nil, err
	}
	host := "127.0.0.1"
	c.ServiceSubnet = fmt.Sprintf("10.%d.%d.0/24", 96+sum[3]%16, sum[4])
	if !controlPlaneOnly {
		c.RunDir = filepath.Join("/run", "pp-"+id)
		c.Bridge = "pp" + id
		var err error
		if c.Subnet, c.GatewayIP, err = freeSubnet(sum[5]); err != nil {
			return nil, err
		}
		host = c.GatewayIP
	}
	c.Server = fmt.Sprintf("https://127.0.0.1:%d", c.Ports.API)
	c.Issuer = fmt.Sprintf("https://%s:%d", host, c.Ports.API)
	return c, nil
}

// freePorts finds free TCP ports below those that the kernel gives to outgoing
// connections (32768 and up): a client that calls a server while it restarts could
// be given the server's own port, connect to itself, and so keep it from binding.
func freePorts(into ...*int) error {
	const first, last = 20000, 32767
	for _, p := range into {
		for tries := 0; ; tries++ {
			port := first + rand.IntN(last-first)
			l, err := net.Listen("tcp", fmt.Sprintf(":%d", port))
			if err == nil {
				defer l.Close() // all at once, so that they differ
				*p = port
				break
			}
			if tries == 100 {
				return fmt.Errorf("no free port in %d..%d: %w", first, last, err)
			}
		}
	}
	return nil
}

// freeSubnet finds a /24 of 10.42.0.0/15 that no interface of the machine uses,
// starting at a place derived from the cluster's directory.
func freeSubnet(start byte) (subnet, gateway string, err error) {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return "", "", err
	}
	for i := range 256 {
		prefix := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 42, start + byte(i), 0}), 24)
		free := true
		for _, a := range addresses {
			if used, err := netip.ParsePrefix(a.String()); err == nil && used.Masked().Overlaps(prefix) {
				free = false
			}
		}
		if free {
			return prefix.String(), prefix.Addr().Next().String(), nil
		}
	}
	return "", "", fmt.Errorf("no free /24 in 10.42.0.0/16")
}

func (c *cluster) path(parts ...string) string {
	return filepath.Join(append([]string{c.Dir}, parts...)...)
}
func (c *cluster) run(name string) string { return filepath.Join(c.RunDir, name) }

func (c *cluster) save() error {
	b, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	tmp := c.path("state.json.tmp")
	if err := os.WriteFile(tmp, b, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, c.path("state.json"))
}

// load reads the cluster of a directory; os.ErrNotExist if there is none.
func load(dir string) (*cluster, error) {
	b, err := os.ReadFile(filepath.Join(dir, "state.json"))
	if err != nil {
		return nil, err
	}
	c := new(cluster)
	if err := json.Unmarshal(b, c); err != nil {
		return nil, fmt.Errorf("%s/state.json: %w", dir, err)
	}
	return c, nil
}
