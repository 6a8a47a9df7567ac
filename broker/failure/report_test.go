package failure_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/podpass-io/podpass/broker/failure"
)

func TestReporter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r failure.Reporter
		if !r.New("a") || r.New("a") || !r.New("b") {
			t.Error("not each trouble once")
		}
		time.Sleep(time.Minute)
		if !r.New("a") {
			t.Error("not again after a minute")
		}
		told := 0
		for i := range 10_000 {
			if r.New(fmt.Sprint("trouble ", i)) {
				told++
			}
		}
		if told > 31 {
			t.Errorf("%d different ones in no time, want at most 31", told)
		}
	})
}
