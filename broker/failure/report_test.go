package failure_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/podpass-io/podpass/broker/failure"
)

func TestReporter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r failure.Reporter
		var log strings.Builder
		lines := func(text string) int {
			log.Reset()
			r.Report(slog.New(slog.NewTextHandler(&log, nil)), httptest.NewRequest(http.MethodGet, "/aws/v1/credentials", nil), errors.New(text))
			return strings.Count(log.String(), "\n")
		}
		if lines("a") != 1 || lines("a") != 0 || lines("b") != 1 {
			t.Error("not each error once")
		}
		time.Sleep(time.Minute - time.Nanosecond)
		if lines("a") != 0 {
			t.Error("again within the minute")
		}
		time.Sleep(time.Nanosecond)
		if lines("a") != 1 || !strings.Contains(log.String(), "path=/aws/v1/credentials") || !strings.Contains(log.String(), "kind=Unavailable") {
			t.Errorf("not again after a minute, or without its facts: %s", &log)
		}
		reported := 0
		for i := range 10_000 {
			reported += lines(fmt.Sprint("error ", i))
		}
		if reported != 31 {
			t.Errorf("%d different ones in no time, want 31: with the one before, 32", reported)
		}
		time.Sleep(time.Minute)
		if lines("another") != 1 {
			t.Error("the errors of a minute ago are not forgotten")
		}
		if long := strings.Repeat("x", 256); lines(long+"1") != 1 || lines(long+"2") != 0 || lines(long[1:]+"3") != 1 {
			t.Error("an error is known by more, or less, than its first 256 bytes")
		}
	})
}
