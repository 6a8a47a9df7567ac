package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/podpass-io/podpass/cmd/podpass/internal/exit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/report"
)

// child is the variable by which the test's own program is podpass doctor.
const child = "PODPASS_TEST_DOCTOR"

func TestMain(m *testing.M) {
	if os.Getenv(child) == "" {
		os.Exit(m.Run())
	}
	cmd := Command("test")
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err := cmd.ExecuteContext(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	// The process' own peak: what wait4 tells has the parent's in it, from before exec.
	status, _ := os.ReadFile("/proc/self/status")
	fmt.Fprintln(os.Stderr, string(status))
	os.Exit(exit.Status(err))
}

// measure runs podpass doctor as a process of its own, and gives its CPU time: the time
// on the clock is the test's machine's, whose cores others use.
func measure(t *testing.T, args ...string) (r report.Report, cpu time.Duration, memory int64, status int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), child+"=1")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	start := time.Now()
	out, err := cmd.Output()
	took := time.Since(start)
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("%v: %.200s %s", err, out, stderr.String())
	}
	peak := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindStringSubmatch(stderr.String())
	if peak == nil {
		t.Fatalf("no peak of memory: %s", stderr.String())
	}
	kib, err := strconv.ParseInt(peak[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %s, of it %s of CPU time, %d MiB", args[0], took.Round(10*time.Millisecond), (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Round(10*time.Millisecond), kib>>10)
	return r, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), kib << 10, cmd.ProcessState.ExitCode()
}

// TestFleet: 5,000 pods of 500 ServiceAccounts in less than a minute and 200 MiB, one pod in
// less than three seconds; of the fleet each fault is found, and what is ten pods' is one line.
func TestFleet(t *testing.T) {
	const accounts, each, faulty = 500, 10, 7
	a := newAPI(t)
	config := &rest.Config{Host: a.issuer, QPS: -1, ContentConfig: rest.ContentConfig{ContentType: "application/json"}, TLSClientConfig: rest.TLSClientConfig{CAFile: a.caFile}}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, "shop", publicClouds)
	good := w.pods[0]
	w.build(t, client)
	for i := range accounts {
		account := w.account.DeepCopy()
		account.Name = fmt.Sprintf("app-%d", i)
		a.put("/api/v1/namespaces/shop/serviceaccounts/"+account.Name, account)
		for j := range each {
			p := good.DeepCopy()
			if i < faulty {
				p = w.pod("")
			}
			hash := "5d4f8c"
			p.Name, p.Spec.ServiceAccountName = fmt.Sprintf("app-%d-%s-%d", i, hash, j), account.Name
			p.UID = "uid"
			p.Labels["pod-template-hash"] = hash
			p.OwnerReferences = []metav1.OwnerReference{{Kind: "ReplicaSet", Name: fmt.Sprintf("app-%d-%s", i, hash), Controller: new(true)}}
			p.Annotations = map[string]string{"podpass.io/injection": good.Annotations["podpass.io/injection"], "filler": strings.Repeat("x", 2000)}
			p.CreationTimestamp = metav1.NewTime(time.Now())
			a.put("/api/v1/namespaces/shop/pods/"+p.Name, p)
		}
	}
	server := (&broken{}).proxy(t, config).Host
	flags := []string{"-o", "json", "--kubeconfig", kubeconfig(t, server), "--issuer-ca", a.caFile}

	r, cpu, memory, status := measure(t, append([]string{"-A"}, flags...)...)
	if r.Looked[1].N != accounts*each+1 || r.Looked[0].N != accounts+1 || status != exit.Findings {
		t.Errorf("looked at %v, exit status %d", r.Looked, status)
	}
	if cpu > time.Minute || memory > raceFactor*200<<20 {
		t.Error("too slow, or too large")
	}
	if len(r.Findings) != faulty*each {
		t.Errorf("%d findings, want %d: %v", len(r.Findings), faulty*each, r.Findings[:min(3, len(r.Findings))])
	}
	for _, f := range r.Findings {
		if f.Code != codeMissed || !strings.HasPrefix(f.Group, "Deployment shop/app-") {
			t.Fatalf("found %+v", f)
		}
	}
	var table strings.Builder
	if err := r.Write(&table, "table", false); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(table.String(), "and 9 more of Deployment shop/app-"); n != faulty {
		t.Errorf("%d lines for %d workloads:\n%s", n, faulty, table.String())
	}
	a.mu.Lock()
	largest := a.largest
	a.mu.Unlock()
	if largest > 500 {
		t.Errorf("a page of %d", largest)
	}

	r, cpu, _, status = measure(t, append([]string{"pod/" + good.Name}, flags...)...)
	if cpu > 3*time.Second || status != exit.Sound || r.Looked[1].N != 1 {
		t.Errorf("%s, exit status %d, looked at %v, found %v", cpu, status, r.Looked, r.Findings)
	}
}

// put keeps an object as it is.
func (a *api) put(path string, o any) {
	raw, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		panic(err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.objects[path] = m
}

// TestSurvey: what is counted is what is found.
func TestSurvey(t *testing.T) {
	a := newAPI(t)
	config := &rest.Config{Host: a.issuer, ContentConfig: rest.ContentConfig{ContentType: "application/json"}, TLSClientConfig: rest.TLSClientConfig{CAFile: a.caFile}}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, "shop", publicClouds)
	keyed := w.pod("keyed")
	keyed.Spec.Containers[0].Env = env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
	former := w.injected(t, w.pod("former"))
	former.Spec.InitContainers[0].Image = "example.com/podpass-broker:former"
	out := w.pod("opted-out")
	out.Labels["podpass.io/inject"] = "false"
	direct := w.pod("direct")
	direct.Annotations = map[string]string{"podpass.io/mode": "direct"}
	w.pods = append(w.pods, w.pod("missed"), w.injected(t, keyed), former, out, w.injected(t, direct))
	w.build(t, client)
	a.put("/api/v1/namespaces/shop/serviceaccounts/bad", &corev1.ServiceAccount{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "bad", Annotations: map[string]string{"eks.amazonaws.com/role-arn": "bad"}},
	})
	a.put("/api/v1/namespaces/shop/serviceaccounts/plain", &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "plain"}})
	s, err := Look(t.Context(), client, config, Options{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"serviceAccounts":1,"clouds":{"aws":1},"deniedServiceAccounts":1,"pods":6,"modes":{"broker":3,"direct":1},"uninjectedPods":1,"optedOutPods":1,` +
		`"otherSidecars":1,"sidecarsDown":0,"podsWithStaticKeys":1}`
	if string(got) != want || s.Sound() {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
