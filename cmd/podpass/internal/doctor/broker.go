package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/util/exec"
	"k8s.io/streaming/pkg/httpstream"

	"github.com/podpass-io/podpass/broker"
	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/finding"
)

// asker asks a pod's broker for its explanation, in JSON.
type asker interface {
	ask(ctx context.Context, namespace, pod string) ([]byte, error)
}

const (
	// explainTime bounds one pod's.
	explainTime = 10 * time.Second
	// maxExplanation bounds what a pod may make this program read; the broker's own cache
	// is bounded far below.
	maxExplanation = 4 << 20
)

// explainCommand is the broker's own.
var explainCommand = []string{"/podpass-broker", "explain", "-o", "json"}

// execer asks by exec, as kubectl does.
type execer struct {
	client kubernetes.Interface
	config *rest.Config
}

func (e execer) ask(ctx context.Context, namespace, pod string) ([]byte, error) {
	request := e.client.CoreV1().RESTClient().Post().Namespace(namespace).Resource("pods").Name(pod).SubResource("exec").
		VersionedParams(&corev1.PodExecOptions{Container: sidecar, Command: explainCommand, Stdout: true, Stderr: true}, scheme.ParameterCodec)
	socket, err := remotecommand.NewWebSocketExecutor(e.config, http.MethodGet, request.URL().String())
	if err != nil {
		return nil, err
	}
	spdy, err := remotecommand.NewSPDYExecutor(e.config, http.MethodPost, request.URL())
	if err != nil {
		return nil, err
	}
	// API servers before 1.31 and some proxies know only the older protocol.
	executor, err := remotecommand.NewFallbackExecutor(socket, spdy, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	})
	if err != nil {
		return nil, err
	}
	var stdout, stderr limited
	err = executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdout: &stdout, Stderr: &stderr})
	if _, ok := errors.AsType[exec.CodeExitError](err); ok && stdout.kept.Len() > 0 {
		err = nil // it explains why a credential is missing, and fails for that
	}
	if err == nil && stdout.over {
		err = fmt.Errorf("its answer is longer than %d MiB", maxExplanation>>20)
	}
	if err != nil && stderr.kept.Len() > 0 {
		err = fmt.Errorf("%w: %s", err, strings.TrimSpace(stderr.kept.String()))
	}
	return stdout.kept.Bytes(), err
}

// limited keeps no more than an explanation has. What it does not keep it takes all the
// same: the executor tells nobody of a writer's error. The buffer is not embedded, since
// its ReadFrom would go round Write.
type limited struct {
	kept bytes.Buffer
	over bool
}

func (l *limited) Write(p []byte) (int, error) {
	if l.over = l.over || l.kept.Len()+len(p) > maxExplanation; l.over {
		return len(p), nil
	}
	return l.kept.Write(p)
}

// explain asks the pod's own broker.
func (r *run) explain(ctx context.Context, p *pod) ([]found, error) {
	bounded, cancel := context.WithTimeout(ctx, explainTime)
	defer cancel()
	command := explainBy(p.Namespace, p.Name)
	body, err := r.broker.ask(bounded, p.Namespace, p.Name)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	var e broker.Explanation
	if err == nil {
		err = json.Unmarshal(body, &e)
	}
	if err != nil {
		return one(finding.Finding{
			Code: codeExplain, Severity: finding.Warning, Where: p.where(), Message: "its broker could not be asked",
			Seen: err.Error(), Fix: "you need the right to create pods/exec in namespace " + p.Namespace + "; --explain=false leaves this out", Command: command,
		}), nil
	}
	return explained(e, p.where(), command), nil
}

// Explain asks the broker of a pod what keeps it from its credentials.
func Explain(ctx context.Context, client kubernetes.Interface, config *rest.Config, namespace, pod string) ([]finding.Finding, error) {
	ctx, cancel := context.WithTimeout(ctx, explainTime)
	defer cancel()
	body, err := execer{client, config}.ask(ctx, namespace, pod)
	if err != nil {
		return nil, err
	}
	var e broker.Explanation
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, fmt.Errorf("read its explanation: %w", err)
	}
	var list []finding.Finding
	for _, f := range explained(e, "pod "+namespace+"/"+pod, explainBy(namespace, pod)) {
		list = append(list, f.Finding)
	}
	return list, nil
}

// explainBy is the command with which a person asks.
func explainBy(namespace, pod string) string {
	return fmt.Sprintf("kubectl exec -n %s %s -c %s -- %s", namespace, pod, sidecar, strings.Join(explainCommand[:2], " "))
}

// explained is what an explanation has of errors.
func explained(e broker.Explanation, where, command string) []found {
	var out []found
	for _, t := range e.Tokens {
		if t.Error != "" {
			out = append(out, one(finding.Finding{
				Code: codeExchange, Severity: finding.Error, Where: where + " in " + t.Cloud, Message: "its broker cannot read the token that kubelet projects",
				Seen: t.Error, Fix: "see the pod's events, and kubelet's log for TokenRequest errors", Command: command,
			})...)
		}
	}
	for _, c := range e.Credentials {
		if c.LastError == nil {
			continue
		}
		l := c.LastError
		f := failed(&federation.Error{Kind: l.Kind, Cloud: c.Cloud, Op: l.Operation, Status: l.Status, Code: l.Code, Message: l.Message, Hint: l.Hint, RequestID: l.RequestID},
			strings.TrimSpace(where+" in "+c.Cloud+" "+c.Name), command)
		if c.ValidUntil != nil || !c.Own {
			f.Severity = finding.Warning // it still has some; or it is what an application asked for besides
		}
		out = append(out, f)
	}
	return out
}
