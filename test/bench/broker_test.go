// Package bench measures what a pod pays for podpass, and an admission: `make bench`.
package bench

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/podpass-io/podpass/test/cloud"
	"github.com/podpass-io/podpass/test/cloud/issuer"
	"github.com/podpass-io/podpass/test/cloud/orders"
	"github.com/podpass-io/podpass/test/program"
)

// BenchmarkBroker runs the real binary against three clouds, and a bare net/http
// server of the same toolchain under the same load, in turn: noise is large, so ratios
// count. At the end it does the broker the worst that a pod can.
func BenchmarkBroker(b *testing.B) {
	dir := b.TempDir()
	broker, bare := filepath.Join(dir, "podpass-broker"), filepath.Join(dir, "bare")
	build(b, broker, "../../cmd/podpass-broker")
	build(b, bare, "./bare")
	env := world(b, dir)
	for b.Loop() { // one run says it all: it is not the loop that is timed
	}
	binary, image := sizes(b, broker)
	b.ReportMetric(binary, "binary-MiB")
	b.ReportMetric(image, "image-MiB")

	floor := run(b, bare, []string{"LISTEN=" + program.Address(b)}, func(string) bool { return true })
	measured := run(b, broker, env, ready)
	servers := map[string]*server{"": measured, "bare-": floor}
	for name, s := range servers {
		b.ReportMetric(s.started.Seconds()*1000, name+"exec-to-ready-ms")
		b.ReportMetric(s.idleRSS, name+"idle-RSS-MiB")
		b.ReportMetric(s.idlePrivate, name+"idle-private-MiB")
	}
	for _, connections := range []int{1, 10, 100} {
		at := fmt.Sprintf("@%d", connections)
		loads := inTurn(b, servers, connections)
		for name, s := range servers {
			l := loads[name]
			rss, private := s.memory(b)
			b.ReportMetric(rss, name+"RSS-MiB"+at)
			b.ReportMetric(private, name+"private-MiB"+at)
			b.ReportMetric(l.quantile(0.50), name+"p50-us"+at)
			b.ReportMetric(l.quantile(0.99), name+"p99-us"+at)
			b.ReportMetric(l.cpu, name+"cpu-ms/1000req"+at)
			b.ReportMetric(1e6/l.cpu, name+"req/s/core"+at)
		}
		b.ReportMetric(loads[""].cpu/loads["bare-"].cpu, "cpu/bare"+at)
	}
	measured.flood(b)
	b.ReportMetric(measured.peak(b), "flood-peak-MiB")
	b.ReportMetric(0, "ns/op") // means nothing here
}

// sizes are those of the binary and of the image as registries keep it: its one
// layer, compressed, with the binary and the CA certificates, as the Dockerfile says.
func sizes(b *testing.B, broker string) (binary, image float64) {
	b.Helper()
	var layer bytes.Buffer
	gz := gzip.NewWriter(&layer)
	files := tar.NewWriter(gz)
	for _, file := range []string{broker, "/etc/ssl/certs/ca-certificates.crt"} {
		content, err := os.ReadFile(file)
		if err != nil {
			b.Fatal(err)
		}
		if file == broker {
			binary = float64(len(content)) / (1 << 20)
		}
		if err := files.WriteHeader(&tar.Header{Name: file, Mode: 0o755, Size: int64(len(content))}); err != nil {
			b.Fatal(err)
		}
		if _, err := files.Write(content); err != nil {
			b.Fatal(err)
		}
	}
	if err := errors.Join(files.Close(), gz.Close()); err != nil {
		b.Fatal(err)
	}
	return binary, float64(layer.Len()) / (1 << 20)
}

func build(b *testing.B, out, pkg string) {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", out, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
}

// world gives the broker's environment.
func world(b *testing.B, dir string) []string {
	b.Helper()
	i := issuer.Start(b)
	clouds := cloud.Start(b, orders.Trust(i))
	orders.WriteTokens(b, i, dir, nil)
	identities, err := json.Marshal(orders.Identities())
	if err != nil {
		b.Fatal(err)
	}
	return []string{
		"PODPASS_IDENTITIES=" + string(identities), "PODPASS_SECRET=secret", "PODPASS_TOKEN_DIR=" + dir, "PODPASS_LISTEN=" + program.Address(b),
		"PODPASS_AWS_STS_ENDPOINT=" + clouds.AWS, "PODPASS_GCP_STS_ENDPOINT=" + clouds.GCP, "PODPASS_GCP_IAM_CREDENTIALS_ENDPOINT=" + clouds.GCP,
		"PODPASS_AZURE_AUTHORITY_HOST=" + clouds.Azure, "PODPASS_CA_BUNDLE=" + clouds.CAFile, "LISTEN=",
	}
}
