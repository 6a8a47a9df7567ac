package page

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/test/browser"
)

// open writes a graph's page and opens it in a browser, with a view of a usual size.
func open(t *testing.T, g *graph.Graph) *view {
	t.Helper()
	file := filepath.Join(t.TempDir(), "migrate.html")
	var text strings.Builder
	if err := Write(&text, g); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	v := &view{Browser: browser.Start(t, "--window-size=1600,1000"), t: t, address: "file://" + file}
	v.Open(v.address)
	return v
}

// view is a page that is open.
type view struct {
	*browser.Browser
	t       *testing.T
	address string
}

// want fails unless an expression of the page has a value, which it may take a moment to.
func (v *view) want(what, expression, value string) {
	v.t.Helper()
	var got string
	for range 50 {
		if got = v.Eval(expression); got == value {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	v.t.Errorf("%s: %q, want %q", what, got, value)
}

// Expressions of the page.
const (
	focus  = "document.activeElement.id"
	active = "document.getElementById(document.activeElement.getAttribute('aria-activedescendant'))?.querySelector('b').textContent"
	title  = "document.querySelector('#details h2')?.textContent"
	facts  = "[...document.querySelectorAll('#details dt')].map(e => e.textContent + '=' + e.nextSibling.textContent).join('|')"
	inView = "(() => { const box = document.querySelector(':focus .active').getBoundingClientRect(), " +
		"above = document.querySelector('.titles').getBoundingClientRect(), view = document.getElementById('graph').getBoundingClientRect();" +
		"return box.top > above.bottom && box.bottom < view.bottom })()"
	path = "[...document.querySelectorAll('.path b')].map(e => e.textContent).join('|')"
)

// TestKeyboard walks by keys alone from the search to the details of what it looks for.
func TestKeyboard(t *testing.T) {
	v := open(t, example())
	v.Press("Tab", "Tab", "Tab")
	v.want("after the link that skips and what was not read", focus, "search")
	v.Call("Input.insertText", map[string]any{"text": "reports@"}, nil)
	v.want("the count", "document.getElementById('count').textContent", "1 of 3 credentials")
	v.Press("Tab", "Tab", "Tab")
	v.want("after cloud and severity", focus, "column0")
	v.want("the one that was searched", active, "reports@shop.example")
	v.Press("ArrowRight")
	v.want("one to the right", active, "Secret reports")
	v.Press("ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight")
	v.want("at the right end", focus+" + ' ' + "+active, "column4 default")
	v.Press("ArrowLeft", "Enter")
	v.want("what Enter chose", title, "CronJob reports")
	v.want("what is marked as chosen", "document.querySelector('[aria-selected=true] b').textContent", "CronJob reports")
	v.want("its path", path, "reports@shop.example|Secret reports|job|CronJob reports|default")
	v.want("the path is drawn", "document.querySelector('path.chosen').getAttribute('d').split('M').length - 1", "4")

	v.Press("Escape")
	v.want("after Escape", "document.querySelectorAll('.path, [aria-selected=true]').length", "0")
	v.Eval("document.getElementById('search').focus()")
	v.Press("Escape")
	v.want("Escape empties the search", "document.getElementById('count').textContent", "3 of 3 credentials")
	v.Press("Tab", "Tab", "Tab", "Home")
	v.want("the gravest is first", active, "orders-key")
	v.Press("ArrowDown", "Enter", "Tab", "Tab")
	v.want("the next column but one is entered on the chosen path", active, "job")
	v.Press("ArrowLeft")
	v.want("of two lines the chosen path's is followed", active, "Secret reports")
	v.Press("ArrowLeft", "ArrowDown", "ArrowUp", "ArrowUp", "ArrowUp", "Enter")
	v.want("there is no further up", title, "orders-key")
	v.want("what is known of it", facts, "cloud=aws|kind=aws-access-key|ID=orders-key|account=123456789012|severity=error|confidence=certain"+
		"|evidence=its ID has the form of an access key's; its secret has 40 characters|ends=never, as far as it says|fingerprint=fedcba9876543210")
	v.Press("ArrowRight", "Enter")
	v.want("what is known of its place", facts, "object=Secret shop/aws|keys=secret-key|not secret=access-key|created=2026-01-30, 30 days ago"+
		"|written by=helm|written=2026-02-28, 1 day ago|uses=2 env, 1 file")
	v.Press("Tab", "Tab", "Tab", "Tab")
	v.want("after the columns", focus, "details")
	v.Press("Tab", "Enter")
	v.want("a button of the details chooses", title, "orders-key")
	v.Quiet(v.address)
}

// TestFilter: what does not lead through what is looked for is gone.
func TestFilter(t *testing.T) {
	v := open(t, example())
	for name, test := range map[string]struct{ text, cloud, severity, want string }{
		"all":               {"", "", "", "3 5 4 3 3"},
		"a cloud":           {"", "aws", "", "1 2 2 2 2"},
		"a severity":        {"", "", "info", "1 1 1 1 1"},
		"a workload":        {"cronjob", "", "", "2 2 1 1 1"},
		"both":              {"cronjob", "gcp", "", "1 1 1 1 1"},
		"what was not read": {"you may not get", "", "", "0 1 1 1 1"},
		"a fact":            {"helm release", "", "", "1 2 2 1 1"},
		"nothing":           {"no such thing", "", "", "0 0 0 0 0"},
	} {
		t.Run(name, func(t *testing.T) {
			set, err := json.Marshal([]string{test.text, test.cloud, test.severity})
			if err != nil {
				t.Fatal(err)
			}
			got := v.Eval("['search', 'cloud', 'severity'].forEach((id, i) => document.getElementById(id).value = " + string(set) + "[i]);" +
				"document.getElementById('search').dispatchEvent(new Event('input'));" +
				"[...document.querySelectorAll('.titles span')].map(e => e.textContent).join(' ')")
			if got != test.want {
				t.Errorf("nodes in the columns: %s, want %s", got, test.want)
			}
		})
	}
	v.Quiet(v.address)
}

// TestMouse: a click chooses, and nothing of a name is markup.
func TestMouse(t *testing.T) {
	v := open(t, example())
	var at struct{ X, Y float64 }
	where := v.Eval("(() => { const r = [...document.querySelectorAll('#column0 [role=option]')].at(-1).getBoundingClientRect();" +
		"return JSON.stringify({x: r.x + r.width / 2, y: r.y + r.height / 2}) })()")
	if err := json.Unmarshal([]byte(where), &at); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"mousePressed", "mouseReleased"} {
		v.Call("Input.dispatchMouseEvent", map[string]any{"type": kind, "x": at.X, "y": at.Y, "button": "left", "clickCount": 1}, nil)
	}
	v.want("what was clicked", title, "<b>\"it's\"</b></script><!--\ufffd\ufffd&amp;\ufffd")
	v.want("markup in names", "document.querySelectorAll('#app b:not([role=option] > b), script:not([id], [type=module])').length", "0")
	v.want("boxes as high as others", "new Set([...document.querySelectorAll('[role=option]')].map(e => e.offsetHeight)).size", "1")
	v.Quiet(v.address)
}

// TestColours: the page is read in light and dark.
func TestColours(t *testing.T) {
	v := open(t, example())
	v.Press("Tab", "Tab", "Tab", "Tab", "Tab", "Tab", "Enter")
	v.want("what is chosen", title, "orders-key")
	for _, scheme := range []string{"light", "dark"} {
		v.Scheme(scheme)
		v.Readable("body", "header .quiet", ".counts dt", ".counts .error", ".counts .warning", ".counts .info", "input", "select", "#help", ".titles span",
			".path b", ".path span", "[role=option]:not(.path) b", "[role=option]:not(.path) span", "#details dt", "#details button span")
		v.Screenshot("migrate-" + scheme)
	}
	v.Quiet(v.address)
}

// TestLarge: 5,000 credentials do not freeze the page: it draws what is in view. The figures
// are logged; the bound is that of a page that hangs, on a machine that does much else.
func TestLarge(t *testing.T) {
	v := open(t, large(5000))
	const bound = 20_000 // ms
	timed := func(what, do string) {
		t.Helper()
		var ms float64
		// The layout is part of it: it is asked for what needs it.
		if err := json.Unmarshal([]byte(v.Eval("(() => { const start = performance.now(); "+do+"; document.body.offsetHeight; return performance.now() - start })()")), &ms); err != nil {
			t.Fatal(err)
		}
		if t.Logf("%s: %.0f ms", what, ms); ms > bound {
			t.Errorf("%s takes %.0f ms, want at most %d", what, ms, bound)
		}
	}
	var ms float64
	if err := json.Unmarshal([]byte(v.Eval("performance.getEntriesByName('drawn')[0].startTime")), &ms); err != nil {
		t.Fatal(err)
	}
	if t.Logf("first drawn after %.0f ms", ms); ms > bound {
		t.Errorf("it is drawn after %.0f ms, want at most %d", ms, bound)
	}
	v.want("all are there", "[...document.querySelectorAll('.titles span')].map(e => e.textContent).join(' ')", "5000 5000 6000 5000 1000")
	v.want("few are drawn", "document.querySelectorAll('[role=option]').length < 250", "true")
	v.Screenshot("migrate-5000")

	timed("a filter that finds all", "document.getElementById('search').value = 'e'; document.getElementById('search').dispatchEvent(new Event('input'))")
	v.want("all are found", "document.getElementById('count').textContent", "5000 of 5000 credentials")
	timed("scrolling to the middle", "document.getElementById('graph').scrollTop = document.getElementById('graph').scrollHeight / 2")
	v.Eval("document.getElementById('severity').focus()")
	v.Press("Tab")
	v.want("a column is entered where it is in view", inView+" && document.getElementById('graph').scrollTop > 100000", "true")
	timed("a filter that finds one", "document.getElementById('search').value = 'credential-4321'; document.getElementById('search').dispatchEvent(new Event('input'))")
	v.want("one is found", "document.getElementById('count').textContent", "1 of 5000 credentials")
	timed("clearing it", "document.getElementById('search').value = ''; document.getElementById('search').dispatchEvent(new Event('input'))")
	timed("choosing what 1,000 read", "document.querySelector('#column1 [role=option]').click()")
	v.want("its path", "document.querySelectorAll('#column2 .path').length > 10", "true")
	v.want("the details name some of them", "document.querySelectorAll('#details button').length + ' ' + [...document.querySelectorAll('#details p')].map(e => e.textContent).join('|')",
		"151 and 951 more|and 950 more|and 950 more")
	v.Eval("document.getElementById('column0').focus()")
	v.Press("End")
	v.want("the last one is active", active, "credential-4997")
	v.want("it is in view", inView, "true")
	for range 15 {
		v.Press("ArrowUp")
	}
	v.want("so is the 15th above it", inView, "true")
	v.Quiet(v.address)
}

// TestPolicy: what gets into the page all the same neither runs nor asks for anything.
func TestPolicy(t *testing.T) {
	v := open(t, example())
	v.Eval(`(() => {
		window.refused = [];
		document.addEventListener('securitypolicyviolation', (e) => window.refused.push(e.effectiveDirective));
		const script = document.createElement('script');
		script.textContent = 'window.ran = true';
		document.body.append(script);
		document.body.insertAdjacentHTML('beforeend', '<p id=foreign style="color: red" onclick="window.ran = true">x</p><img src="https://example.org/x.png">');
		document.getElementById('foreign').click();
		fetch('https://example.org/').catch(() => {});
	})()`)
	v.want("what was refused", "window.refused.sort().join(' ')", "connect-src img-src script-src-attr script-src-elem style-src-attr")
	v.want("what has run", "String(window.ran)", "undefined")
}

// TestRoles: who cannot see the page is told what is where.
func TestRoles(t *testing.T) {
	v := open(t, example())
	v.Press("Tab", "Tab", "Tab", "Tab", "Tab", "Tab", "Enter")
	var tree struct {
		Nodes []struct {
			Role, Name struct{ Value string }
			Properties []struct {
				Name  string
				Value struct{ Value any }
			}
		}
	}
	v.Call("Accessibility.getFullAXTree", nil, &tree)
	var got []string
	for _, n := range tree.Nodes {
		switch n.Role.Value {
		case "searchbox", "combobox", "listbox", "region", "status":
			got = append(got, n.Role.Value+" "+n.Name.Value)
		case "option":
			for _, p := range n.Properties {
				if p.Name == "selected" && p.Value.Value == true && strings.Contains(n.Name.Value, "orders") {
					got = append(got, "chosen "+n.Name.Value)
				}
			}
		}
	}
	slices.Sort(got)
	want := []string{
		"chosen orders-key error · aws-access-key · certain", "combobox Cloud", "combobox Severity", "listbox Container 4", "listbox Credential 3",
		"listbox Kept in 5", "listbox ServiceAccount 3", "listbox Workload 3", "region Details", "searchbox Search", "status ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestWithoutScripts: there is a table of all, and nothing else.
func TestWithoutScripts(t *testing.T) {
	v := open(t, example())
	v.Call("Emulation.setScriptExecutionDisabled", map[string]any{"value": true}, nil)
	v.Events = nil
	v.Call("Page.navigate", map[string]any{"url": v.address}, nil)
	v.Event("Page.loadEventFired")
	v.want("the graph", "getComputedStyle(document.getElementById('app')).display", "none")
	v.want("how a container reads", "[...document.querySelectorAll('noscript td:nth-child(3)')].map(e => e.lastChild?.textContent).join('|')",
		"env AWS_SECRET_ACCESS_KEY, file /aws/credentials|env AWS_SECRET_ACCESS_KEY||file /var/gcp/key.json|annotation <b>\"it's\"</b></script><!--\ufffd\ufffd&amp;\ufffd|env PASSWORD")
	v.want("the table", "[...document.querySelectorAll('noscript tbody tr')].map(e => [...e.querySelectorAll('b')].map(e => e.textContent).join(' > ')).join('\\n')", strings.Join([]string{
		"orders-key > Secret aws > app > Deployment orders > orders",
		"orders-key > Secret aws > job > CronJob reports > default",
		"orders-key > Secret aws",
		"reports@shop.example > Secret reports > job > CronJob reports > default",
		"<b>\"it's\"</b></script><!--\ufffd\ufffd&amp;\ufffd > Secret <b>\"it's\"</b></script><!--\ufffd\ufffd&amp;\ufffd > the pod itself > Pod <b>\"it's\"</b></script><!--\ufffd\ufffd&amp;\ufffd > <b>\"it's\"</b></script><!--\ufffd\ufffd&amp;\ufffd",
		"Secret locked/db > sidecar > Deployment orders > orders",
	}, "\n"))
	v.Quiet(v.address)
}
