package endpoint_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/endpoint"
	ft "github.com/podpass-io/podpass/federation/federationtest"
)

// words is a cloud whose errors are "<code> <text>".
type words struct{ retry time.Duration }

func (c words) Read(r endpoint.Response) (endpoint.Words, bool) {
	code, text, ok := strings.Cut(string(r.Body), " ")
	return endpoint.Words{Code: code, Message: text, RetryAfter: c.retry}, ok && !strings.ContainsAny(code, "<>{}")
}

func (words) Table() endpoint.Table {
	return endpoint.Table{
		{Code: "refused", Text: "in part", Kind: federation.KindSubjectMismatch},
		{Code: "refused", Kind: federation.KindDenied, Trusted: true},
		{Code: "slow", Kind: federation.KindThrottled},
	}
}

func (words) Hint(e *federation.Error) string { return "hint of " + string(e.Kind) }

func ask(ctx context.Context, client *http.Client, call *endpoint.Call) *federation.Error {
	call.Cloud, call.Op, call.Setting = "test", "test:token", "test.endpoint"
	if call.Reads == nil {
		call.Reads = words{}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, call.URL, strings.NewReader("x"))
	if err != nil {
		return call.Error(ctx, err)
	}
	resp, err := call.Client(client).Do(req)
	if err != nil {
		return call.Error(ctx, fmt.Errorf("a library says so: %v", err)) //nolint:errorlint // as x/oauth2 does
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if last := call.Last(); err != nil || last == nil || !bytes.Equal(body, last.Body) || last.Status != resp.StatusCode {
		panic(fmt.Sprintf("a library reads %q, %v, and the answer is %+v", body, err, last))
	}
	return call.Error(ctx, nil)
}

// TestCommon: what each cloud's test asks of it, of the package itself.
func TestCommon(t *testing.T) {
	secret := ft.Token{}.Raw()
	ft.Cloud{
		Sends: secret,
		Says:  func(text string) string { return "refused " + text },
		Exchange: func(t *testing.T, a ft.Answer) error {
			return ask(t.Context(), nil, &endpoint.Call{URL: ft.Serve(t, a), Secrets: []federation.Secret{federation.Secret(secret)}})
		},
	}.Test(t)
}

// TestTable: the status decides where it says enough, then the first row that fits.
func TestTable(t *testing.T) {
	for name, test := range map[string]struct {
		status  int
		body    string
		kind    federation.Kind
		trusted bool
	}{
		"a code":                {400, "refused altogether", federation.KindDenied, true},
		"a text":                {400, "refused IN PART", federation.KindSubjectMismatch, false},
		"throttled by code":     {503, "slow down", federation.KindThrottled, false},
		"down with a code":      {500, "refused altogether", federation.KindUnavailable, false},
		"time-out with a code":  {408, "refused altogether", federation.KindUnavailable, false},
		"unknown":               {400, "other words", federation.KindDenied, false},
		"unknown, not there":    {404, "other words", federation.KindConfig, false},
		"a success":             {200, "other words", federation.KindUnavailable, false},
		"a success, known":      {200, "refused altogether", federation.KindDenied, true},
		"throttled, status 400": {400, "slow down", federation.KindThrottled, false},
	} {
		e := ask(t.Context(), nil, &endpoint.Call{URL: ft.Serve(t, ft.Answer{Status: test.status, Body: test.body})})
		if e.Kind != test.kind || e.ProvesTrust() != test.trusted || e.Hint != "hint of "+string(test.kind) || e.Cloud != "test" || e.Op != "test:token" || e.Local() {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

// TestNoWords: a code without a text is an error that can be read all the same.
func TestNoWords(t *testing.T) {
	to := ft.Serve(t, ft.Answer{Status: 400, Body: "refused "})
	if e := ask(t.Context(), nil, &endpoint.Call{URL: to}); e.Code != "refused" || e.Message != to+" answered with status 400 and no text that can be read" {
		t.Errorf("%+v", e)
	}
}

// TestForeign: what people recognise another's answer by: its title, else how its text
// begins; nothing of a success, and nothing that is no text.
func TestForeign(t *testing.T) {
	for name, test := range map[string]struct {
		status      int
		body, quote string
	}{
		"a title":        {400, "<html><title>Blocked</title><p>by rule 7", `: "Blocked"`},
		"a title's form": {403, "<html><TITLE lang=en>\n No &lt;b&gt;\n entry </TITLE>", `: "No <b> entry"`},
		"no title":       {400, "<title> </title>\n<p>no\tentry", `: "<title> </title> <p>no entry"`},
		"nothing":        {400, "", ""},
		"a success":      {200, "<title>Sign in</title>", ""},
		"no text":        {400, "<title>\xff</title>", ""},
		"long":           {502, strings.Repeat("x", 201), `: "` + strings.Repeat("x", 200) + `..."`},
		"as long":        {502, strings.Repeat("x", 200), `: "` + strings.Repeat("x", 200) + `"`},
		"mostly blank":   {400, strings.Repeat("\n", 3190) + "0123456789x", `: "0123456789..."`},
	} {
		to := ft.Serve(t, ft.Answer{Status: test.status, Body: test.body})
		e := ask(t.Context(), nil, &endpoint.Call{URL: to})
		if want := fmt.Sprintf("%s answered with status %d, and not in the cloud's own words%s", to, test.status, test.quote); e.Message != want {
			t.Errorf("%s: %s, want %s", name, e.Message, want)
		}
	}
}

// TestRedirects: any status of 300 and more, wherever it leads.
func TestRedirects(t *testing.T) {
	for to, says := range map[string]string{"": "elsewhere", "/path": "elsewhere", "http://[::1": "elsewhere", "https://x.example.com/?y=z": "https://x.example.com"} {
		for _, status := range []int{300, 307, 399} {
			e := ask(t.Context(), nil, &endpoint.Call{URL: ft.Serve(t, ft.Answer{Status: status, Header: map[string]string{"Location": to}, Body: "refused altogether"})})
			if e.Kind != federation.KindConfig || !strings.Contains(e.Message, fmt.Sprintf("redirects to %s (status %d)", says, status)) || e.Code != "" {
				t.Errorf("%d to %q: %+v", status, to, e)
			}
		}
	}
}

// TestRetryAfter: in seconds, as a date, or the cloud's own; never more than a day,
// never past.
func TestRetryAfter(t *testing.T) {
	in := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }
	for header, test := range map[string]struct{ own, want time.Duration }{
		"":                    {0, 0},
		"7":                   {time.Minute, 7 * time.Second},
		"-7":                  {0, 0},
		"9223372036854775807": {0, 24 * time.Hour},
		"soon":                {time.Minute, time.Minute},
		in(10 * time.Minute):  {0, 10 * time.Minute},
		in(-time.Hour):        {0, 0},
		in(1000 * time.Hour):  {0, 24 * time.Hour},
		"x":                   {1000 * time.Hour, 24 * time.Hour},
		"y":                   {-time.Hour, 0},
	} {
		e := ask(t.Context(), nil, &endpoint.Call{Reads: words{test.own}, URL: ft.Serve(t, ft.Answer{Status: 429, Header: map[string]string{"Retry-After": header}, Body: "slow down"})})
		if e.RetryAfter > test.want || e.RetryAfter < test.want-2*time.Second {
			t.Errorf("%q: %s, want %s", header, e.RetryAfter, test.want)
		}
	}
}

// TestUnanswered: each way in which no cloud answers, by its name.
func TestUnanswered(t *testing.T) {
	secure := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer secure.Close()
	secure.Config.ErrorLog = nil
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	trickle := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).Flush() // the body never comes
		<-r.Context().Done()
	}))
	defer trickle.Close()
	for name, test := range map[string]struct {
		url, says, hint string
		timeout         time.Duration
	}{
		"refused":   {"http://127.0.0.1:1", "was not reached: dial tcp 127.0.0.1:1: connect: connection refused", "network policy", 0},
		"silent":    {"http://" + silent.Addr().String(), "did not answer in time", "network policy", 50 * time.Millisecond},
		"trickling": {trickle.URL, "did not answer in time", "network policy", 50 * time.Millisecond},
		"too late":  {ft.Serve(t, ft.Answer{Status: 200}), "did not answer in time", "network policy", 1},
		"untrusted": {secure.URL, "speaks no TLS that is trusted: tls: failed to verify", "caBundle", 0},
		"no TLS":    {"https://" + strings.TrimPrefix(ft.Serve(t, ft.Answer{Status: 200}), "http://"), "speaks no TLS", "caBundle", 0},
	} {
		t.Run(name, func(t *testing.T) {
			client, err := endpoint.NewClient(nil)
			if err != nil {
				t.Fatal(err)
			}
			defer client.CloseIdleConnections()
			if test.timeout > 0 {
				client.Timeout = test.timeout
			}
			e := ask(t.Context(), client, &endpoint.Call{URL: test.url})
			if name == "refused" && !errors.Is(e, syscall.ECONNREFUSED) {
				t.Errorf("the cause is lost: %v", e)
			}
			if e.Kind != federation.KindUnavailable || !strings.Contains(e.Message, test.says) || !strings.Contains(e.Hint, test.hint) || !strings.HasPrefix(e.Message, test.url) || e.Status != 0 {
				t.Errorf("%+v", e)
			}
		})
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	if e := ask(gone, nil, &endpoint.Call{URL: "http://" + silent.Addr().String()}); e.Kind != federation.KindCanceled || !errors.Is(e, context.Canceled) {
		t.Errorf("who asked has gone away: %+v", e)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	if e := (&endpoint.Call{URL: "https://x", Reads: words{}}).Error(ctx, ctx.Err()); e.Kind != federation.KindUnavailable || !strings.Contains(e.Message, "in time") {
		t.Errorf("too late to ask: %+v", e)
	}
	if e := (&endpoint.Call{URL: "https://x", Setting: "test.endpoint", Reads: words{}}).Error(t.Context(), errors.New("bad tenant")); e.Kind != federation.KindConfig || !strings.Contains(e.Error(), "bad tenant") || !strings.Contains(e.Hint, "test.endpoint") {
		t.Errorf("no request was sent: %+v", e)
	}
}

// TestProxyRefuses: a CONNECT that a proxy refuses is the proxy's doing; only what
// its status calls so is transient.
func TestProxyRefuses(t *testing.T) {
	for status, test := range map[int]struct {
		kind federation.Kind
		hint string
	}{
		403: {federation.KindConfig, "NO_PROXY"},
		407: {federation.KindConfig, "credentials"},
		408: {federation.KindUnavailable, "NO_PROXY"},
		429: {federation.KindThrottled, "NO_PROXY"},
		502: {federation.KindUnavailable, "NO_PROXY"},
	} {
		to, err := url.Parse(ft.Serve(t, ft.Answer{Status: status, Body: "<html>no"}))
		if err != nil {
			t.Fatal(err)
		}
		to.User = url.UserPassword("podpass", "hunter2hunter2")
		client, err := endpoint.NewClient(nil)
		if err != nil {
			t.Fatal(err)
		}
		client.Transport.(*http.Transport).Proxy = http.ProxyURL(to)
		e := ask(t.Context(), client, &endpoint.Call{URL: "https://sts.example.com"})
		client.CloseIdleConnections()
		if says := fmt.Sprintf("proxy %s refused to connect: %d ", to.Host, status); e.Kind != test.kind || !strings.Contains(e.Message, says) || !strings.Contains(e.Hint, test.hint) || strings.Contains(e.Error(), "hunter2") {
			t.Errorf("%d: %+v", status, e)
		}
	}
}

// TestNoHTTP: what a server says that speaks no HTTP stands in the transport's error,
// the token that it repeats does not.
func TestNoHTTP(t *testing.T) {
	secret := ft.Token{}.Raw()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = http.ReadRequest(bufio.NewReader(conn)) // whatever it was
		_, _ = io.WriteString(conn, secret+" "+strings.Repeat("x", 5000)+"\r\n\r\n")
	}()
	client, err := endpoint.NewClient(nil)
	if err != nil {
		t.Fatal(err)
	}
	e := ask(t.Context(), client, &endpoint.Call{URL: "http://" + l.Addr().String(), Secrets: []federation.Secret{federation.Secret(secret)}})
	printed := fmt.Sprintf("%v %+v %v", e, *e, errors.Unwrap(e))
	if e.Kind != federation.KindUnavailable || ft.Shows(printed, secret) || len(printed) > 6000 || !strings.Contains(printed, "malformed HTTP") {
		t.Errorf("%d bytes: %.1000s", len(printed), printed)
	}
}

// TestBoundOfAnswer: an answer has an end.
func TestBoundOfAnswer(t *testing.T) {
	for size, says := range map[int]string{256 << 10: "and not in the cloud's own words", 256<<10 + 1: "is larger than 262144 bytes"} {
		e := ask(t.Context(), nil, &endpoint.Call{URL: ft.Serve(t, ft.Answer{Status: 400, Body: strings.Repeat("x", size)})})
		if !strings.Contains(e.Message, says) {
			t.Errorf("%d bytes: %s", size, e)
		}
	}
}

// TestTokensGoToHTTPSOnly: the rule holds for where a request goes at last, whatever
// the library made of the administrator's URL.
func TestTokensGoToHTTPSOnly(t *testing.T) {
	e := ask(t.Context(), nil, &endpoint.Call{URL: "http://sts.example.com/path?x=y"})
	if e.Kind != federation.KindConfig || e.Message != `endpoint "http://sts.example.com" must be https: a token is sent there` || e.Hint != "set the chart value test.endpoint to an https URL" {
		t.Errorf("%+v", e)
	}
}

// body is a request's, which says when it is closed.
type body struct {
	io.Reader
	closed int
}

func (b *body) Close() error { b.closed++; return io.ErrClosedPipe }

// TestRefusedRequestIsClosed: a RoundTripper closes the body of what it does not send, too,
// and says what came of it.
func TestRefusedRequestIsClosed(t *testing.T) {
	client := (&endpoint.Call{}).Client(nil)
	for name, b := range map[string]*body{"a body": {Reader: strings.NewReader("x")}, "none": nil} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://sts.example.com", nil)
		if err != nil {
			t.Fatal(err)
		}
		if b != nil {
			req.Body = b
		}
		resp, err := client.Transport.RoundTrip(req)
		if err == nil {
			resp.Body.Close()
			t.Fatalf("%s: it was sent", name)
		}
		if b != nil && (b.closed != 1 || !errors.Is(err, io.ErrClosedPipe)) {
			t.Errorf("%s: closed %d times: %v", name, b.closed, err)
		}
	}
}

// TestClient: only the call says whose time is over, and a client without a bound
// has none.
func TestClient(t *testing.T) {
	if got := (&endpoint.Call{}).Client(&http.Client{Timeout: time.Minute}); got.Timeout != 0 {
		t.Errorf("the client ends a request by itself after %s", got.Timeout)
	}
	if e := ask(t.Context(), &http.Client{}, &endpoint.Call{URL: ft.Serve(t, ft.Answer{Status: 400, Body: "slow down"})}); e.Code != "slow" {
		t.Errorf("%+v", e)
	}
}

// TestBoundOfHeaders: they have an end, as the body has.
func TestBoundOfHeaders(t *testing.T) {
	client, err := endpoint.NewClient(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	for size, code := range map[int]string{63 << 10: "slow", 64 << 10: ""} {
		e := ask(t.Context(), client, &endpoint.Call{URL: ft.Serve(t, ft.Answer{Status: 400, Header: map[string]string{"X": strings.Repeat("x", size)}, Body: "slow down"})})
		if e.Code != code {
			t.Errorf("%d bytes: %v", size, e)
		}
	}
}

// TestBoundsOfWords: codes and texts are cut.
func TestBoundsOfWords(t *testing.T) {
	x := strings.Repeat("x", 2000)
	e := ask(t.Context(), nil, &endpoint.Call{URL: ft.Serve(t, ft.Answer{Status: 400, Body: x + " " + x})})
	if e.Code != x[:64]+"..." || e.Message != x[:1024]+"..." {
		t.Errorf("code of %d bytes, text of %d", len(e.Code), len(e.Message))
	}
}

// TestScrub: no piece of a secret in any encoding, and nothing else is taken away.
func TestScrub(t *testing.T) {
	const key, short, shortest = "aB+cD/eF=gH+iJ/kL=mN+oP/qR=sT+uV/wX=yZ0123456789", "twelve-chars", "eight-ch"
	call := func(body string) string {
		c := &endpoint.Call{URL: ft.Serve(t, ft.Answer{Status: 400, Body: "code " + body}), Secrets: []federation.Secret{key, short, shortest, "seven-c", ""}}
		return ask(t.Context(), nil, c).Message
	}
	for name, echo := range ft.Echoes(key) {
		if got := call("it was: " + echo + " :so it was"); ft.Shows(got, key) || !strings.HasPrefix(got, "it was: ") || !strings.HasSuffix(got, " :so it was") {
			t.Errorf("%s: %s", name, got)
		}
	}
	for _, escaped := range []string{`aB\u002bcD\u002feF\u003dgH\u002biJ`, "aB&#43;cD&#47;eF&#61;gH&#43;iJ", "aB&#x2B;cD&#x2F;eF&#x3D;gH&#x2B;iJ", "aB%252bcD%252feF%253dgH"} {
		if got := call("x " + escaped + " y"); got != "x [redacted] y" {
			t.Errorf("%s: %s", escaped, got)
		}
	}
	for in, want := range map[string]string{
		"id twelve-chars.":          "id [redacted].",
		"id twelve-char.":           "id twelve-char.",
		"id eight-ch.":              "id [redacted].",
		"id seven-c.":               "id seven-c.",
		key[:16] + "|" + key[:15]:   "[redacted]|" + key[:15],
		"two " + key + key + " end": "two [redacted] end",
		"a\r\nb\tc \x07":            "a  b c",
		"größer":                    "größer",
	} {
		got := call(in)
		if in[:3] == "two" { // at once or one after the other
			got = strings.ReplaceAll(got, "[redacted][redacted]", "[redacted]")
		}
		if got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func certificate(t *testing.T) (text []byte, server *httptest.Server) {
	t.Helper()
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "slow down") }))
	t.Cleanup(s.Close)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), s
}

// bundles are the largest bundle that has no more than size bytes in its plain form, and
// one with a byte more in its certificates.
func bundles(t *testing.T, size int) (fits, tooLarge string) {
	t.Helper()
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	one := func(padding int) string {
		template := &x509.Certificate{SerialNumber: big.NewInt(int64(padding)), SubjectKeyId: make([]byte, padding)}
		der, err := x509.CreateCertificate(rand.Reader, template, template, public, key)
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	first := one(60_000)
	for padding := 30_000; ; padding++ {
		fits, tooLarge = tooLarge, first+one(padding)
		if len(tooLarge) > size {
			return fits, tooLarge
		}
		if left := (size - len(tooLarge)) * 3 / 4; left > 200 {
			padding += left - 200
		}
	}
}

func TestCABundle(t *testing.T) {
	one, s := certificate(t)
	plain := string(one)
	for name, text := range map[string]string{
		"plain": plain, "with comments": "# Example CA\n\n" + plain + "\nthe end\n", "twice": plain + plain,
		"with headers": strings.Replace(plain, "-----\n", "-----\nName: x\n\n", 1),
	} {
		if got, err := endpoint.ParseCABundle([]byte(text)); err != nil || string(got) != plain {
			t.Errorf("%s: %s%v", name, got, err)
		}
	}
	// With the variable's name, "=" and the closing zero it is Linux' 128 KiB.
	fits, tooLarge := bundles(t, 131053)
	if got, err := endpoint.ParseCABundle([]byte("# as large as it may be\n" + fits + "# end\n")); err != nil || string(got) != fits || len(got) < 131053-5 {
		t.Errorf("the largest: %d bytes, %v", len(got), err)
	}
	key := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("hunter2")}))
	for name, test := range map[string]struct{ text, says string }{
		"nothing":     {"", "no PEM certificate"},
		"words":       {"example", "no PEM certificate"},
		"a key":       {plain + key, `block 2 is a "PRIVATE KEY"`},
		"not one":     {string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")})), "block 1 is not a certificate"},
		"cut off":     {plain + plain[:100], "cut off"},
		"not base64":  {plain + "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", "cut off"},
		"only a head": {"-----BEGIN CERTIFICATE-----\n", "cut off"},
		"too large":   {tooLarge, "bytes of certificates, and the broker takes 131053: keep only the CAs"},
	} {
		got, err := endpoint.ParseCABundle([]byte(test.text))
		if err == nil || !strings.Contains(err.Error(), test.says) || got != nil || strings.Contains(err.Error(), "aHVudGVy") {
			t.Errorf("%s: %s, %v", name, got, err)
		}
		if _, err := endpoint.NewClient([]byte(test.text)); (err == nil) != (test.text == "") {
			t.Errorf("%s: NewClient: %v", name, err)
		}
	}
	client, err := endpoint.NewClient([]byte("# Example CA\n" + plain))
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	if e := ask(t.Context(), client, &endpoint.Call{URL: s.URL}); e.Code != "slow" {
		t.Errorf("the CA is not trusted: %v", e)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	roots.AppendCertsFromPEM(one)
	if config := client.Transport.(*http.Transport).TLSClientConfig; config.MinVersion != tls.VersionTLS12 || config.InsecureSkipVerify || !config.RootCAs.Equal(roots) {
		t.Errorf("%+v", config)
	}
}

// TestNoSystemRoots: in an image without them, the bundle is all there is. They are read
// once in a process, so it takes another one.
func TestNoSystemRoots(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCABundle$", "-test.count=1")
	cmd.Env = append(os.Environ(), "SSL_CERT_FILE="+t.TempDir(), "SSL_CERT_DIR=/does/not/exist")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
