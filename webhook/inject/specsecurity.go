package inject

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
