package inject

import (
	"strings"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

const (
	oidcVolume = "podpass-oidc-tokens"
	oidcDir    = "/var/run/secrets/podpass.io/oidc"
	oidcPath   = "/oidc/v1/token" // of the broker
)

// oidcDelivery is two things. Plain tokens are for the application to present, so that
// they are files in its containers in either mode: a file is what every verifier's
// client reads. Token sources are served by the broker, as the clouds are.
func oidcDelivery(pl *planner, o *serviceaccount.OIDC) *delivery {
	var names []string
	for _, a := range o.Audiences {
		names = append(names, a.Name)
	}
	for _, s := range o.Sources {
		names = append(names, s.Name)
	}
	i := Injection{Cloud: "oidc", Mode: serviceaccount.ModeDirect, Identity: strings.Join(names, ","), Source: o.Source}
	if len(o.Sources) > 0 {
		i = pl.injection("oidc", o.Grant, i.Identity)
	}
	d := &delivery{Injection: i}
	switch {
	case len(o.Sources) == 0:
	case i.Mode == serviceaccount.ModeBroker:
		d.env = []envVar{literal("PODPASS_TOKEN_URL", pl.brokerURL()+oidcPath), podUID("PODPASS_TOKEN_SECRET")}
		d.own = []string{"PODPASS_TOKEN_URL", "PODPASS_TOKEN_SECRET"}
		for _, s := range o.Sources {
			t := pl.token(o.Grant, s.Audience)
			t.Path = s.TokenFile()
			d.brokered = append(d.brokered, t)
		}
	default:
		pl.needsBroker("OIDC", "the access tokens of token sources", o.Source)
	}
	if len(o.Audiences) > 0 {
		var tokens []tokenProjection
		for _, a := range o.Audiences {
			t := pl.token(o.Grant, a.Audience)
			t.Path = a.Name
			tokens = append(tokens, t)
		}
		d.volumes = []volume{tokenVolume(oidcVolume, tokens...)}
		d.mounts = []volumeMount{{Name: oidcVolume, MountPath: oidcDir, ReadOnly: true}}
	}
	return d
}
