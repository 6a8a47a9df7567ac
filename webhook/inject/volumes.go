package inject

import "github.com/podpass-io/podpass/federation/serviceaccount"

// tokenMode is the mode of token files where kubelet does not choose one itself.
//
// kubelet does choose where it can make the file the reader's own: when all
// containers of the pod have one runAsUser the file is 0600 and that user's, and
// with an fsGroup it is 0640 and that group's, of which each container is a member.
// In all other pods the file is root's, and 0644 is the only mode in which an
// application that is not root, or the sidecar beside one that is, can read it. It
// shows the token to nobody else, since the mode only counts inside the containers
// that mount the volume.
const tokenMode = 0o644

func tokenVolume(name string, tokens ...tokenProjection) volume {
	v := volume{Name: name, Projected: &projectedVolume{DefaultMode: tokenMode}}
	for i := range tokens {
		v.Projected.Sources = append(v.Projected.Sources, projection{ServiceAccountToken: &tokens[i]})
	}
	return v
}

// brokerTokens is the volume with a token for each cloud and each token source that
// the broker serves, named as the broker looks for them.
func (pl *planner) brokerTokens() volume {
	var tokens []tokenProjection
	for _, d := range pl.deliveries {
		if d.Mode == serviceaccount.ModeBroker {
			tokens = append(tokens, d.brokered...)
		}
	}
	return tokenVolume(tokensVolume, tokens...)
}

// addVolume adds v unless it is there. A volume of that name with other contents
// is an error: to mount it would hand the application, or the broker, files that
// are not what their path says.
func (pl *planner) addVolume(v volume) {
	if pl.own.kept == nil {
		pl.own.kept = map[string]bool{}
	}
	for _, have := range pl.pod.Spec.Volumes {
		if have.Name != v.Name {
			continue
		}
		switch {
		case v.sameSource(have):
			pl.own.kept[v.Name] = true
			return
		case pl.ownVolume(have):
		default:
			pl.fail(serviceaccount.Problem{
				Code: codeVolumeName, Where: pl.where() + " volume " + v.Name,
				Message: "the pod has a volume of that name with other contents than podpass needs there",
				Fix:     "rename the pod's volume, or remove it if it is a copy from another cluster or another webhook: podpass adds its own",
			})
			return
		}
	}
	pl.own.kept[v.Name] = false
	pl.volumes = append(pl.volumes, v)
}

// sameSource reports whether have serves in place of v: the same token files of
// the same audiences, whatever their lifetime.
func (v volume) sameSource(have podVolume) bool {
	if v.EmptyDir != nil {
		return have.EmptyDir != nil
	}
	if have.Projected == nil || len(have.Projected.Sources) != len(v.Projected.Sources) {
		return false
	}
	for i, want := range v.Projected.Sources {
		got := have.Projected.Sources[i].ServiceAccountToken
		if got == nil || got.Path != want.ServiceAccountToken.Path || got.Audience != want.ServiceAccountToken.Audience {
			return false
		}
	}
	return true
}
