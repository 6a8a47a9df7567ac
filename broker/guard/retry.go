package guard

import (
	"errors"
	"math"
	"strconv"

	"github.com/podpass-io/podpass/federation"
)

// RetryAfter is that header of the answer to a failure which may pass: whole seconds,
// at least one.
func RetryAfter(err error) string {
	seconds := 1.0
	if e, ok := errors.AsType[*federation.Error](err); ok {
		seconds = max(seconds, math.Ceil(e.RetryAfter.Seconds()))
	}
	return strconv.Itoa(int(seconds))
}
