package finding

import "testing"

func TestString(t *testing.T) {
	for want, f := range map[string]Finding{
		`WI203: role orders: no statement is about web identities`: {Code: "WI203", Where: "role orders", Message: "no statement is about web identities"},
		`WI204: role orders: the subject differs (expected "a", seen "b"); fix: correct it`: {
			Code: "WI204", Where: "role orders", Message: "the subject differs", Expected: "a", Seen: "b", Fix: "correct it",
		},
		`WI205: role orders: it is too long (seen "3000"); fix: cut it`: {Code: "WI205", Where: "role orders", Message: "it is too long", Seen: "3000", Fix: "cut it"},
	} {
		if got := f.String(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestWorst(t *testing.T) {
	for _, test := range []struct {
		list []Finding
		want Severity
	}{
		{nil, ""},
		{[]Finding{{Severity: Info}}, Info},
		{[]Finding{{Severity: Info}, {Severity: Error}, {Severity: Warning}}, Error},
		{[]Finding{{Severity: Warning}, {Severity: Info}}, Warning},
	} {
		if got := Worst(test.list); got != test.want {
			t.Errorf("%v: got %q, want %q", test.list, got, test.want)
		}
	}
}
