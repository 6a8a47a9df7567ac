package answer_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/podpass-io/podpass/broker/answer"
)

type token struct {
	Token string `json:"token"`
	Life  int    `json:"life"`
}

// TestKept: another credential, and another second of its life, is another answer.
func TestKept(t *testing.T) {
	var k answer.Kept[token]
	for _, test := range []struct {
		v    token
		want string
	}{
		{token{"a", 10}, `{"token":"a","life":10}`}, {token{"a", 10}, `{"token":"a","life":10}`},
		{token{"a", 9}, `{"token":"a","life":9}`}, {token{"b", 9}, `{"token":"b","life":9}`}, {token{"a", 9}, `{"token":"a","life":9}`},
	} {
		if got := string(k.Encode(test.v)); got != test.want+"\n" {
			t.Errorf("%v: %s", test.v, got)
		}
	}
}

// TestKeptAllocatesNothing: it is there to spare the work of each request.
func TestKeptAllocatesNothing(t *testing.T) {
	var k answer.Kept[token]
	k.Encode(token{"a", 10})
	if n := testing.AllocsPerRun(100, func() { k.Encode(token{"a", 10}) }); n != 0 {
		t.Errorf("%g allocations for an answer that is kept", n)
	}
}

func TestWrite(t *testing.T) {
	for status, allow := range map[int]string{http.StatusOK: "", http.StatusMethodNotAllowed: http.MethodGet} {
		w := httptest.NewRecorder()
		answer.JSON(w, status, token{"a", 1})
		if w.Code != status || w.Header().Get("Content-Type") != "application/json" || w.Header().Get("Allow") != allow || w.Body.String() != `{"token":"a","life":1}`+"\n" {
			t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
		}
	}
}
