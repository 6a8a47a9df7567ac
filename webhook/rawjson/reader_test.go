package rawjson

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	sigsjson "sigs.k8s.io/json"
)

type document struct {
	Text string            `json:"text"`
	Map  map[string]string `json:"map"`
	Bool bool              `json:"bool"`
	Int  int               `json:"int"`
	Any  any               `json:"any"`
}

func read(data []byte) (document, error) {
	var d document
	r := NewReader(data)
	for name := range r.Members {
		switch string(name) {
		case "text":
			r.Text(&d.Text)
		case "map":
			r.Map(&d.Map)
		case "bool":
			r.Bool(&d.Bool)
		case "int":
			r.Int(&d.Int)
		case "any":
			r.Value(&d.Any)
		}
	}
	return d, r.End()
}

// FuzzReader holds the reader against the API server's decoder: what is valid, and what
// is read of it.
func FuzzReader(f *testing.F) {
	for _, s := range []string{
		`{"text":"a","map":{"a":"b","c":null},"bool":true,"int":-12,"any":[1,{"x":1.5e-3}]} `,
		`{"Text":"a","te\u0078t":"\ud83d\ude00\ud800\n","map":{"\u0061":"é"},"map":{"b":"c"},"int":1,"int":null,"bool":true,"bool":false}`,
		"{\"text\":\"\xff\",\"other\":[[],{},\"\",0,-0,0.1,1E+2,true,false,null,{\"a\":{\"b\":[\"\\\"\"]}}]}",
		"{\"text\":\"\x80\"}", "{\"text\":\"\x7f\"}", `null`, `{}`, `[]`, `"x"`, `"x`, `["\,"b"]`, "[\"a\n,\"b\"]", ``, `{`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{"a":01}`, `{"a":1.}`, `{"a":-}`, `{"a":"\x"}`, `{"a":"\u12g4"}`, `{"a":tru}`, `{"a":trux}`, `{"a":nulx}`, `{"bool":falsx}`, `{"a":1.e5}`, `{"a":.5}`, `{"a":1e}`, `{"a":"\u123"}`, `{"a":"\`, `{"a":"\u0aF9"}`, `{"a":"\u12/4"}`, `{"a":"\u12_4"}`, `{"a":"\u12:4"}`, `{"a":"\u12G4"}`, `{"a":"\u12@4"}`, `{"a":00}`, `{"a":-01}`, `{"a":1} x`, "{\"a\":\"\x01\"}",
		`{"map":null,"text":null}`, `{"map":{"a":"b"},"map":null}`, `{"map":{"a":1}}`, `{"int":1.0}`, `{"int":99999999999999999999}`, `{"bool":0}`, `{"text":1}`, `{"a":[1 2]}`, `{"a" 1}`, `{1:2}`, "{\"a\"\t:\r\n1}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(agree)
}

// agree holds what is read of data against what the API server's decoder reads.
func agree(t *testing.T, data []byte) {
	t.Helper()
	var want document
	wantErr := sigsjson.UnmarshalCaseSensitivePreserveInts(data, &want)
	got, err := read(data)
	if (err == nil) != (wantErr == nil) {
		t.Fatalf("error %v, the API server's %v: %q", err, wantErr, data)
	}
	if err == nil {
		// The value of any may be merged from two members there.
		if diff := cmp.Diff(want, got); diff != "" && strings.Count(string(data), `any`) < 2 {
			t.Errorf("%q\n%s", data, diff)
		}
	}
	r := NewReader(data)
	r.Raw()
	if valid := r.End() == nil; valid != json.Valid(data) && strings.Count(string(data), "[")+strings.Count(string(data), "{") < maxDepth {
		t.Errorf("valid %t: %q", valid, data)
	}
}

// TestDamagedDocuments: what was cut off, or has one byte that is wrong, is refused
// where the API server refuses it.
func TestDamagedDocuments(t *testing.T) {
	for _, doc := range []string{
		`{"text":"a\u00E9\n","map":{"a":"b"},"bool":true,"int":-10,"any":[1.5e+3,{}],"x":[[],{"y":null,"z":0.1},false," "]}`,
		`"\u09aF"`, `-0.5E-7`, `[true]`,
	} {
		for at := range len(doc) {
			agree(t, []byte(doc[:at]))
			for _, c := range []byte("\"\\{}[],:- .0eg/@G\x1f\x00") {
				agree(t, []byte(doc[:at]+string(rune(c))+doc[at:]))
				agree(t, []byte(doc[:at]+string(rune(c))+doc[at+1:]))
			}
		}
		agree(t, []byte(doc+"\x00"))
	}
}

// TestNotAsExpected: a value of another type is an error, and no loop sees it.
func TestNotAsExpected(t *testing.T) {
	for data, read := range map[string]func(*Reader, func()){
		`{"a":1}`: func(r *Reader, seen func()) {
			for range r.Elements {
				seen()
			}
		},
		`["a"]`: func(r *Reader, seen func()) {
			for range r.Members {
				seen()
			}
		},
		`1`: func(r *Reader, _ func()) { var s string; r.Value(&s) },
	} {
		r, n := NewReader([]byte(data)), 0
		read(r, func() { n++ })
		if r.End() == nil || n != 0 {
			t.Errorf("%s: %v after %d values", data, r.End(), n)
		}
	}
}

// TestNotText: a value without quotes where a string has to be is said in plain words,
// with its place: in a manifest it is true or 8080.
func TestNotText(t *testing.T) {
	for data, want := range map[string]string{
		`{"map":{"podpass.io/inject":true}}`:                       `map.podpass.io/inject: is a bool where a string has to be; put the value into quotes`,
		`{"text":8080}`:                                            `text: is a number where a string has to be; put the value into quotes`,
		`{"list":[{"text":"a"},{"text":-1.5e3}]}`:                  `list[1].text: is a number where a string has to be; put the value into quotes`,
		`{"list":[{"list":[{"text":"a"},{"list":[{"text":1}]}]}]}`: `list[0].list[1].list[0].text: is a number where a string has to be; put the value into quotes`,
		`{"text":{}}`:            `text: is an object where a string has to be`,
		`{"map":{"team":["a"]}}`: `map.team: is a list where a string has to be`,
		`{"text":{"a"}}`:         `invalid JSON at byte 12`,
		`{"text":tru}`:           `invalid JSON at byte 8`,
	} {
		r := NewReader([]byte(data))
		readNested(r)
		if err := r.End(); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", data, err, want)
		}
	}
	long := strings.Repeat("k", 1<<20)
	r := NewReader([]byte(`{"map":{"` + long + `":1` + strings.Repeat("0", 1<<20) + `}}`))
	readNested(r)
	if err := r.End(); err == nil || len(err.Error()) > 1000 {
		t.Errorf("an error of %d bytes", len(err.Error()))
	}
}

func readNested(r *Reader) {
	for name := range r.Members {
		switch string(name) {
		case "text":
			var s string
			r.Text(&s)
		case "map":
			var m map[string]string
			r.Map(&m)
		case "list":
			for range r.Elements {
				readNested(r)
			}
		}
	}
}

// TestLookedAtAndLeft: what was only asked whether it is null is stepped over.
func TestLookedAtAndLeft(t *testing.T) {
	r := NewReader([]byte(`[ 1, null , {}]`))
	var got []bool
	for range r.Elements {
		got = append(got, r.Null())
	}
	if d := cmp.Diff([]bool{false, true, false}, got); d != "" || r.End() != nil {
		t.Errorf("%v\n%s", r.End(), d)
	}
}

// TestValuesAlone: each method reads the value that comes next, in a list or not, and
// nothing before or after it.
func TestValuesAlone(t *testing.T) {
	for name, tt := range map[string]struct {
		data string
		read func(*Reader) any
		want any
	}{
		"true":   {" true ", func(r *Reader) any { var v bool; r.Bool(&v); return v }, true},
		"false":  {" false ", func(r *Reader) any { v := true; r.Bool(&v); return v }, false},
		"number": {" -7 ", func(r *Reader) any { var v int; r.Int(&v); return v }, -7},
		"string": {` "a\"" `, func(r *Reader) any { var v string; r.Text(&v); return v }, `a"`},
		"any":    {" [1] ", func(r *Reader) any { var v any; r.Value(&v); return v }, []any{int64(1)}},
		"raw":    {" [ 1 ] ", func(r *Reader) any { return string(r.Raw()) }, "[ 1 ]"},
		"null":   {" null ", func(r *Reader) any { return r.Null() }, true},
		"nulls leave what is there": {"[null,null,null]", func(r *Reader) any {
			b, n, s := true, 1, "a"
			read := []func(){func() { r.Bool(&b) }, func() { r.Int(&n) }, func() { r.Text(&s) }}
			for range r.Elements {
				read[0]()
				read = read[1:]
			}
			return []any{b, n, s}
		}, []any{true, 1, "a"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := NewReader([]byte(tt.data))
			if d := cmp.Diff(tt.want, tt.read(r)); d != "" || r.End() != nil {
				t.Errorf("%s%v", d, r.End())
			}
		})
	}
}

// TestFirstErrorSticks: what the caller fails with is what End gives.
func TestFirstErrorSticks(t *testing.T) {
	r := NewReader([]byte(`[1,2,3]`))
	first, n := errors.New("first"), 0
	for range r.Elements {
		n++
		r.Fail(first)
		r.Fail(errors.New("second"))
	}
	if err := r.End(); !errors.Is(err, first) || n != 1 {
		t.Errorf("%v after %d elements", err, n)
	}
	r = NewReader([]byte(`"a"`))
	r.Fail(first)
	var text string
	if r.Text(&text); text != "" || r.Raw() != nil {
		t.Errorf("read %q after the error", text)
	}
}

// TestLeavingEarlyIsAnError: the rest of the list would be taken for what follows it.
func TestLeavingEarlyIsAnError(t *testing.T) {
	for data, leave := range map[string]func(*Reader){
		`[1]`: func(r *Reader) {
			for range r.Elements {
				break
			}
		},
		`{"a":1}`: func(r *Reader) {
			for range r.Members {
				break
			}
		},
	} {
		r := NewReader([]byte(data))
		leave(r)
		if err := r.End(); err == nil || err.Error() != "left within a list" {
			t.Errorf("%s: %v", data, err)
		}
	}
}

// TestSteppingOverIsFree: what nobody reads is not decoded, nor are plain names copied.
func TestSteppingOverIsFree(t *testing.T) {
	data := []byte(`{"names":["plain","text"],"more":{"name":"value"},"number":1}`)
	if n := testing.AllocsPerRun(10, func() {
		r := NewReader(data)
		for range r.Members {
		}
		if r.End() != nil {
			t.Error("not valid")
		}
	}); n > 10 { // the reader, and the loops' closures
		t.Errorf("%v allocations", n)
	}
}

// TestDepthIsBounded: recursion without end is a crash that recover does not catch.
func TestDepthIsBounded(t *testing.T) {
	for n, want := range map[int]bool{10_000: true, 10_001: false, 3 << 20: false} {
		r := NewReader([]byte(strings.Repeat("[", n) + strings.Repeat("]", n)))
		r.Raw()
		if got := r.End() == nil; got != want {
			t.Errorf("%d arrays in one another: read %t", n, got)
		}
	}
	r := NewReader([]byte("[" + strings.Repeat(`[1],{"a":1},`, 10_000) + "1]"))
	if r.Raw(); r.End() != nil {
		t.Errorf("many beside one another: %v", r.End())
	}
}

// TestSpaceIsNotPartOfAValue, nor is it reading one to look for null.
func TestSpaceIsNotPartOfAValue(t *testing.T) {
	if raw := NewReader([]byte(" \t12 ")).Raw(); string(raw) != "12" {
		t.Errorf("raw %q", raw)
	}
	var n int
	r := NewReader([]byte("\n 12"))
	if r.Int(&n); n != 12 || r.End() != nil {
		t.Errorf("%d, %v", n, r.End())
	}
	r = NewReader([]byte(`{"a": 1, "b": [ 2 ]}`))
	for range r.Members {
		if r.Null() {
			t.Error("null")
		}
	}
	if err := r.End(); err != nil {
		t.Error(err)
	}
}

// TestMisuseIsAnError, and a value of another type.
func TestMisuseIsAnError(t *testing.T) {
	r := NewReader([]byte(`{"a":1,"b":2}`))
	for range r.Members {
		break
	}
	if r.End() == nil {
		t.Error("a loop that was left early")
	}
	var n int
	if r = NewReader([]byte(`"x"`)); r.End() == nil {
		t.Error("a value that was not read")
	}
	r = NewReader([]byte(`"x"`))
	if r.Value(&n); r.End() == nil {
		t.Error("a string as a number")
	}
}

// TestErrorEndsEveryLoop: what comes after it is not read.
func TestErrorEndsEveryLoop(t *testing.T) {
	r := NewReader([]byte(`[{"a":1},{"a":x},{"a":3}]`))
	elements := 0
	for range r.Elements {
		elements++
		for range r.Members {
		}
	}
	if err := r.End(); err == nil || elements != 2 || err.Error() != "invalid JSON at byte 14" {
		t.Errorf("%d elements, error %v", elements, err)
	}
}

func BenchmarkSkip(b *testing.B) {
	data := []byte(`{"containers":[` + strings.Repeat(`{"name":"container","env":[{"name":"SETTING","value":"some value of common length"}],"ports":[{"containerPort":8080}]},`, 50) + `{}]}`)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		r := NewReader(data)
		r.Raw()
		if r.End() != nil {
			b.Fatal("not valid")
		}
	}
}
