package inject

// The parts of a pod that podpass writes, and no others: marshalling Kubernetes'
// own types would write empty fields that nobody asked for.

type container struct {
	Name                     string           `json:"name"`
	Image                    string           `json:"image"`
	ImagePullPolicy          string           `json:"imagePullPolicy,omitempty"`
	Command                  []string         `json:"command"`
	RestartPolicy            string           `json:"restartPolicy,omitempty"`
	Ports                    []port           `json:"ports,omitempty"`
	Env                      []envVar         `json:"env"`
	Resources                resources        `json:"resources,omitzero"`
	VolumeMounts             []volumeMount    `json:"volumeMounts"`
	StartupProbe             *probe           `json:"startupProbe,omitempty"`
	SecurityContext          *securityContext `json:"securityContext"`
	TerminationMessagePolicy string           `json:"terminationMessagePolicy"`
}

func (c container) appendJSON(b []byte) []byte {
	b = stringMember(append(b, '{'), "name", c.Name)
	b = stringMember(b, "image", c.Image)
	b = optionalMember(b, "imagePullPolicy", c.ImagePullPolicy)
	b = stringsMember(b, "command", c.Command)
	b = optionalMember(b, "restartPolicy", c.RestartPolicy)
	if len(c.Ports) > 0 {
		b = arrayMember(b, "ports", c.Ports)
	}
	b = arrayMember(b, "env", c.Env)
	if len(c.Resources.Requests)+len(c.Resources.Limits) > 0 {
		b = c.Resources.appendJSON(member(b, "resources"))
	}
	b = arrayMember(b, "volumeMounts", c.VolumeMounts)
	if c.StartupProbe != nil {
		b = c.StartupProbe.appendJSON(member(b, "startupProbe"))
	}
	b = c.SecurityContext.appendJSON(member(b, "securityContext"))
	b = stringMember(b, "terminationMessagePolicy", c.TerminationMessagePolicy)
	return append(b, '}')
}

type port struct {
	Name          string `json:"name"`
	ContainerPort int    `json:"containerPort"`
}

func (p port) appendJSON(b []byte) []byte {
	b = stringMember(append(b, '{'), "name", p.Name)
	return append(intMember(b, "containerPort", int64(p.ContainerPort)), '}')
}

func (r reference) appendJSON(b []byte) []byte {
	return append(stringMember(append(b, '{'), "name", r.Name), '}')
}

type resources struct {
	Requests map[string]string `json:"requests,omitempty"`
	Limits   map[string]string `json:"limits,omitempty"`
}

func (r resources) appendJSON(b []byte) []byte {
	b = mapMember(append(b, '{'), "requests", r.Requests)
	return append(mapMember(b, "limits", r.Limits), '}')
}

type envVar struct {
	Name      string  `json:"name"`
	Value     string  `json:"value,omitempty"`
	ValueFrom *envRef `json:"valueFrom,omitempty"`
}

func (v envVar) appendJSON(b []byte) []byte {
	b = stringMember(append(b, '{'), "name", v.Name)
	b = optionalMember(b, "value", v.Value)
	if v.ValueFrom != nil {
		b = append(member(b, "valueFrom"), `{"fieldRef":{"fieldPath":`...)
		b = append(appendString(b, v.ValueFrom.FieldRef.FieldPath), "}}"...)
	}
	return append(b, '}')
}

type envRef struct {
	FieldRef *fieldRef `json:"fieldRef"`
}

type fieldRef struct {
	FieldPath string `json:"fieldPath"`
}

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

type probe struct {
	Exec             execAction `json:"exec"`
	PeriodSeconds    int        `json:"periodSeconds"`
	TimeoutSeconds   int        `json:"timeoutSeconds"`
	FailureThreshold int        `json:"failureThreshold"`
}

func (p probe) appendJSON(b []byte) []byte {
	b = append(stringsMember(append(member(append(b, '{'), "exec"), '{'), "command", p.Exec.Command), '}')
	b = intMember(b, "periodSeconds", int64(p.PeriodSeconds))
	b = intMember(b, "timeoutSeconds", int64(p.TimeoutSeconds))
	return append(intMember(b, "failureThreshold", int64(p.FailureThreshold)), '}')
}

type execAction struct {
	Command []string `json:"command"`
}

type securityContext struct {
	AllowPrivilegeEscalation bool           `json:"allowPrivilegeEscalation"`
	Capabilities             capabilities   `json:"capabilities"`
	ReadOnlyRootFilesystem   bool           `json:"readOnlyRootFilesystem"`
	RunAsNonRoot             bool           `json:"runAsNonRoot"`
	RunAsUser                *int64         `json:"runAsUser,omitempty"`
	RunAsGroup               *int64         `json:"runAsGroup,omitempty"`
	SeccompProfile           seccompProfile `json:"seccompProfile"`
}

func (s securityContext) appendJSON(b []byte) []byte {
	b = boolMember(append(b, '{'), "allowPrivilegeEscalation", s.AllowPrivilegeEscalation)
	b = append(stringsMember(append(member(b, "capabilities"), '{'), "drop", s.Capabilities.Drop), '}')
	b = boolMember(b, "readOnlyRootFilesystem", s.ReadOnlyRootFilesystem)
	b = boolMember(b, "runAsNonRoot", s.RunAsNonRoot)
	if s.RunAsUser != nil {
		b = intMember(b, "runAsUser", *s.RunAsUser)
	}
	if s.RunAsGroup != nil {
		b = intMember(b, "runAsGroup", *s.RunAsGroup)
	}
	b = append(stringMember(append(member(b, "seccompProfile"), '{'), "type", s.SeccompProfile.Type), '}')
	return append(b, '}')
}

type capabilities struct {
	Drop []string `json:"drop"`
}

type seccompProfile struct {
	Type string `json:"type"`
}
