package endpoint

import (
	"regexp"
	"sync"
)

// What URLs that an administrator sets consist of. The chart has the same patterns, so
// that what the webhook would refuse is refused before it is installed.
const (
	octet = `(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])`
	group = `[0-9A-Fa-f]{1,4}`
	ipv6  = `\[((` + group + `:){7}` + group +
		`|(` + group + `:){1,7}:` +
		`|(` + group + `:){1,6}:` + group +
		`|(` + group + `:){1,5}(:` + group + `){1,2}` +
		`|(` + group + `:){1,4}(:` + group + `){1,3}` +
		`|(` + group + `:){1,3}(:` + group + `){1,4}` +
		`|(` + group + `:){1,2}(:` + group + `){1,5}` +
		`|` + group + `:((:` + group + `){1,6})` +
		`|:((:` + group + `){1,7}|:))\]`
	name = `[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?\.?`
	port = `(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?`
	path = `(/([A-Za-z0-9._~!$&'()*+,;=:/-]|%[0-9A-Fa-f]{2})*)?`

	// Pattern is an endpoint to which tokens may be sent: https, or http on loopback,
	// without a user, a query or a fragment.
	Pattern = `^(https://(` + name + `|` + ipv6 + `)|http://(localhost|127(\.` + octet + `){3}|\[::1\]))` + port + path + `$`
	// ProxyPattern is a proxy without a user.
	ProxyPattern = `^(https?|socks5h?)://(` + name + `|` + ipv6 + `)` + port + `/?$`
)

// Compiled when they are first used: together they take half a MiB, and most pods have
// neither an endpoint of their own nor a proxy.
var (
	pattern      = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(Pattern) })
	proxyPattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(ProxyPattern) })
)
