package cache

import "time"

// leadOf is how long before its end a credential must be renewed at the latest: longer
// than any SDK's own margin, so that none asks in vain, and a little more, so that a
// renewal has time to be tried again. botocore asks again from 15 minutes before the
// end on each call, Java from an hour before where the life is long; Google's clients
// from 225 s, and flood; Azure's from 5 minutes.
func leadOf(cloud string, life time.Duration) time.Duration {
	switch {
	case cloud == "aws" && life >= 2*time.Hour:
		return 65 * time.Minute
	case cloud == "aws":
		return 20 * time.Minute
	case cloud == "gcp":
		return 12 * time.Minute
	}
	return 8 * time.Minute
}

// lead is how long before the end of n's credential renewal is due: a fifth of its
// life, or the cloud's lead if that is more, but not more than half: short sessions
// must not be renewed all the time.
func (n *entry) lead() time.Duration {
	life := n.credential.Expiry.Life()
	return max(life/5, min(leadOf(n.cloud, life), life/2))
}
