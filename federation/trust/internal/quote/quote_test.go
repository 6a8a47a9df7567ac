package quote

import (
	"os/exec"
	"strconv"
	"testing"
)

func TestShell(t *testing.T) {
	for in, want := range map[string]string{
		"":                       "''",
		"plain":                  "plain",
		"a b":                    "'a b'",
		"it's":                   `'it'\''s'`,
		"$(id) `id` \"x\" \\ \n": "'$(id) `id` \"x\" \\ \n'",
		"projects/1/locations/x": "projects/1/locations/x",
		"a;b":                    "'a;b'",
		"~":                      "'~'",
	} {
		if got := Shell(in); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
		out, err := exec.CommandContext(t.Context(), "sh", "-c", "printf %s "+Shell(in)).Output()
		if err != nil || string(out) != in {
			t.Errorf("%q: a shell reads %q, %v", in, out, err)
		}
	}
}

func TestHCL(t *testing.T) {
	for in, want := range map[string]string{
		"plain":               `"plain"`,
		`say "x" \`:           `"say \"x\" \\"`,
		"${var.secret}":       `"$${var.secret}"`,
		"%{ if true }":        `"%%{ if true }"`,
		"100% of $5":          `"100% of $5"`,
		"a\nb\tc\r":           `"a\nb\tc\r"`,
		"\x01\x7f":            `"\u0001\u007f"`,
		"assertion['k.io']":   `"assertion['k.io']"`,
		"käse":                `"käse"`,
		"$${x}":               `"$$${x}"`,
		"ends with a dollar$": `"ends with a dollar$"`,
	} {
		if got := HCL(in); got != want {
			t.Errorf("%s: got %s, want %s", strconv.Quote(in), got, want)
		}
	}
}

func TestLabel(t *testing.T) {
	for want, words := range map[string][]string{
		"shop_orders":     {"shop", "orders"},
		"demo_shop_a_b_c": {"demo", "shop", "a.b-c"},
		"_1111_2222":      {"1111-2222"},
		"_":               {},
		"x_y":             {"", "x//y", ""},
	} {
		if got := Label(words...); got != want {
			t.Errorf("%q: got %s, want %s", words, got, want)
		}
	}
}

func TestLabelsAreUnique(t *testing.T) {
	var l Labels
	for n, want := range []string{"a", "a_2", "a_2_2", "a_3", "b"} {
		if got := l.Unique([]string{"a", "a", "a_2", "a", "b"}[n]); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
}

// TestBlock: laid out as terraform fmt does it.
func TestBlock(t *testing.T) {
	got := Block(`resource "x" "y"`, []Attribute{
		{"a", "1"}, {"longer", "2"}, {"map", Map([]Attribute{{`"k"`, "1"}, {`"key"`, "2"}})}, {"c", "3"},
	}, Block("inner", []Attribute{{"d", "4"}, {"text", "<<-EOT\n  5\nEOT"}}))
	const want = `resource "x" "y" {
  a      = 1
  longer = 2
  map = {
    "k"   = 1
    "key" = 2
  }
  c = 3

  inner {
    d    = 4
    text = <<-EOT
      5
    EOT
  }
}
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestComment(t *testing.T) {
	if got := Comment("a\nrm -rf b\x1b[0m"); got != "# a rm -rf b [0m\n" {
		t.Errorf("got %q", got)
	}
}
