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
