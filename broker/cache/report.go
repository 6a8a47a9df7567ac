package cache

import (
	"errors"
	"time"

	"github.com/podpass-io/podpass/federation"
)

// Observer hears of what the cache does. It is called without locks, from several
// goroutines.
type Observer interface {
	// Asked: a request was answered from memory, or had to wait for an exchange.
	Asked(cloud string, fromMemory bool)
	// Exchanged: an exchange ended. renewal: what there was before is still valid.
	Exchanged(cloud string, err error, took time.Duration, renewal bool)
}

func (c *Cache) asked(n *entry, fromMemory bool) {
	if c.opts.Observer != nil {
		c.opts.Observer.Asked(n.cloud, fromMemory)
	}
}

// result is how an exchange ended, for the observer and the log.
type result struct {
	cloud      string
	credential federation.Credential
	err        error
	took       time.Duration
	renewal    bool // there is a valid credential
	retry      time.Duration
	canceled   bool // by the end of the cache
	again      bool // the log has it
}

// reportEvery is how often a local error is worth a line, which may come each second
// for as long as kubelet is away.
const reportEvery = time.Minute

// newsworthy reports whether how an exchange ended is worth a line of the log.
func (f *failure) newsworthy(now time.Time) bool {
	if local(f.err) && f.failures > 1 && now.Sub(f.reported) < reportEvery {
		return false
	}
	f.reported = now
	return true
}

func (c *Cache) report(r result) {
	if r.canceled {
		c.opts.Log.Debug("Exchange canceled: the broker stops", "cloud", r.cloud)
		return
	}
	if c.opts.Observer != nil {
		c.opts.Observer.Exchanged(r.cloud, r.err, r.took, r.renewal)
	}
	if r.err == nil {
		c.opts.Log.Info("Got credentials", "cloud", r.cloud, "principal", r.credential.Principal,
			"expires", r.credential.Expiry.Time(), "tookSeconds", r.took.Seconds())
		return
	}
	attributes := []any{"cloud", r.cloud, "kind", federation.KindOf(r.err), "tookSeconds", r.took.Seconds(), "retryInSeconds", r.retry.Seconds()}
	if e, ok := errors.AsType[*federation.Error](r.err); ok {
		attributes = append(attributes, "code", e.Code, "requestID", e.RequestID)
	}
	attributes = append(attributes, "error", r.err)
	switch {
	case r.again:
		c.opts.Log.Debug("Exchange failed again", attributes...)
	case r.renewal:
		c.opts.Log.Warn("Renewal failed; what is still valid is served", attributes...)
	default:
		c.opts.Log.Error("Exchange failed", attributes...)
	}
}
