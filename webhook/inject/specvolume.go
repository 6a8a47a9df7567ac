package inject

type volumeMount struct {
	Name      string `json:"name"`
	MountPath string `json:"mountPath"`
	ReadOnly  bool   `json:"readOnly,omitempty"`
}

func (m volumeMount) appendJSON(b []byte) []byte {
	b = stringMember(append(b, '{'), "name", m.Name)
	b = stringMember(b, "mountPath", m.MountPath)
	if m.ReadOnly {
		b = boolMember(b, "readOnly", true)
	}
	return append(b, '}')
}

type volume struct {
	Name      string           `json:"name"`
	Projected *projectedVolume `json:"projected,omitempty"`
	EmptyDir  *emptyDirVolume  `json:"emptyDir,omitempty"`
}

func (v volume) appendJSON(b []byte) []byte {
	b = stringMember(append(b, '{'), "name", v.Name)
	if v.Projected != nil {
		b = v.Projected.appendJSON(member(b, "projected"))
	}
	if v.EmptyDir != nil {
		b = optionalMember(append(member(b, "emptyDir"), '{'), "medium", v.EmptyDir.Medium)
		b = append(optionalMember(b, "sizeLimit", v.EmptyDir.SizeLimit), '}')
	}
	return append(b, '}')
}

type projectedVolume struct {
	Sources     []projection `json:"sources"`
	DefaultMode int          `json:"defaultMode,omitempty"`
}

func (v projectedVolume) appendJSON(b []byte) []byte {
	b = arrayMember(append(b, '{'), "sources", v.Sources)
	if v.DefaultMode != 0 {
		b = intMember(b, "defaultMode", int64(v.DefaultMode))
	}
	return append(b, '}')
}

type projection struct {
	ServiceAccountToken *tokenProjection `json:"serviceAccountToken"`
	// Only read, and not what is in them.
	PodCertificate     *struct{} `json:"podCertificate,omitempty"`
	ClusterTrustBundle *struct{} `json:"clusterTrustBundle,omitempty"`
}

func (p projection) appendJSON(b []byte) []byte {
	t := p.ServiceAccountToken
	b = stringMember(append(member(append(b, '{'), "serviceAccountToken"), '{'), "audience", t.Audience)
	b = intMember(b, "expirationSeconds", t.ExpirationSeconds)
	return append(stringMember(b, "path", t.Path), "}}"...)
}

type tokenProjection struct {
	Audience          string `json:"audience"`
	ExpirationSeconds int64  `json:"expirationSeconds"`
	Path              string `json:"path"`
}

type emptyDirVolume struct {
	Medium    string `json:"medium,omitempty"`
	SizeLimit string `json:"sizeLimit,omitempty"`
}
