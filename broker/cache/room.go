package cache

import "github.com/podpass-io/podpass/federation"

// entry finds or makes the entry of e, whose key is key; c.mu is held.
func (c *Cache) entry(key string, e federation.Exchanger) *entry {
	if n, ok := c.entries[key]; ok {
		return n
	}
	if len(c.entries) >= c.opts.Max {
		c.evict()
	}
	n := &entry{exchanger: e, cloud: cloudOf(key)}
	c.entries[key] = n
	return n
}

// evict forgets the credential that was not asked for the longest.
func (c *Cache) evict() {
	var oldest string
	for key, n := range c.entries {
		if !n.pinned && n.running == nil && (oldest == "" || n.used.Before(c.entries[oldest].used)) {
			oldest = key
		}
	}
	delete(c.entries, oldest)
}
