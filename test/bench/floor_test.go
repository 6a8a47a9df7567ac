package bench

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/podpass-io/podpass/test/program"
)

// BenchmarkFloor compares reviews over TLS with a bare server that reads them and
// answers the same bytes, in CPU time of each process: by how many clouds are asked
// for, and by connections. What is run one after the other in one round shares the
// machine's mood.
func BenchmarkFloor(b *testing.B) {
	dir := b.TempDir()
	for _, name := range []string{"reviewer", "bare"} {
		build(b, filepath.Join(dir, name), "./"+name)
	}
	w := newAdmission(b, dir)
	serve := func(b *testing.B, name string, env ...string) (process, string) {
		b.Helper()
		address := program.Address(b)
		cmd := exec.CommandContext(b.Context(), filepath.Join(dir, name))
		cmd.Env = append(append(os.Environ(), "LISTEN="+address, "TLS_CERT="+w.cert, "TLS_KEY="+w.key), env...)
		p, _ := launch(b, cmd, func() bool {
			conn, err := net.Dial("tcp", address)
			if err == nil {
				_ = conn.Close()
			}
			return err == nil
		})
		return p, address
	}
	for _, gogc := range []string{"100", "800"} {
		reviewer, address := serve(b, "reviewer", "GOGC="+gogc, "GOMEMLIMIT=115MiB")
		for _, clouds := range []string{"0", "1", "3"} {
			file := filepath.Join(dir, "answer-"+clouds)
			if err := os.WriteFile(file, ask(b, w.client(), address+"/"+clouds), 0o600); err != nil {
				b.Fatal(err)
			}
			bare, bareAddress := serve(b, "bare", "ANSWER="+file)
			for _, connections := range []int{1, 8} {
				b.Run(fmt.Sprintf("clouds=%s/connections=%d/GOGC=%s", clouds, connections, gogc), func(b *testing.B) {
					var spent [2]float64
					for b.Loop() {
						for i, s := range []struct {
							process
							address string
						}{{reviewer, address + "/" + clouds}, {bare, bareAddress}} {
							before := s.cpuTime(b)
							flood(b, w, s.address, connections)
							spent[i] += (s.cpuTime(b) - before).Seconds() * 1000 / (floorReviews / 1000)
						}
					}
					b.ReportMetric(spent[0]/float64(b.N), "cpu-ms/1000")
					b.ReportMetric(spent[1]/float64(b.N), "bare-cpu-ms/1000")
					b.ReportMetric(spent[0]/spent[1], "times-bare")
					b.ReportMetric(0, "ns/op") // means nothing here
				})
			}
		}
	}
}

const floorReviews = 4000

func flood(b *testing.B, w admission, address string, connections int) {
	b.Helper()
	var wg sync.WaitGroup
	for range connections {
		wg.Go(func() {
			c := w.client()
			defer c.CloseIdleConnections()
			for range floorReviews / connections {
				ask(b, c, address)
			}
		})
	}
	wg.Wait()
}

func ask(b *testing.B, c *http.Client, address string) []byte {
	b.Helper()
	resp, err := c.Post("https://"+address, "application/json", bytes.NewReader(review()))
	if err != nil {
		b.Error(err)
		return nil
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		b.Errorf("%s %.200s %v", resp.Status, answer, err)
	}
	return answer
}
