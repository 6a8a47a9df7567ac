package exit

import (
	"errors"
	"fmt"
	"testing"
)

func TestStatus(t *testing.T) {
	denied, unreadable := errors.New("denied"), errors.New("unreadable")
	for name, test := range map[string]struct {
		err  error
		want int
	}{
		"nothing":                      {nil, 0},
		"nothing found":                {Found(nil), 0},
		"found":                        {Found(denied), 1},
		"found, in words around it":    {fmt.Errorf("check: %w", Found(denied)), 1},
		"found, twice":                 {errors.Join(Found(denied), Found(denied)), 1},
		"found, as a whole":            {Found(errors.Join(denied, denied)), 1},
		"could not look":               {unreadable, 2},
		"could not look at everything": {errors.Join(Found(denied), unreadable), 2},
	} {
		if got := Status(test.err); got != test.want {
			t.Errorf("%s: %d, want %d", name, got, test.want)
		}
	}
	if err := Found(denied); err.Error() != "denied" || !errors.Is(err, denied) {
		t.Errorf("Found changed the error: %v", err)
	}
}
