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

type port struct {
	Name          string `json:"name"`
	ContainerPort int    `json:"containerPort"`
}

type resources struct {
	Requests map[string]string `json:"requests,omitempty"`
	Limits   map[string]string `json:"limits,omitempty"`
}

type envVar struct {
	Name      string  `json:"name"`
	Value     string  `json:"value,omitempty"`
	ValueFrom *envRef `json:"valueFrom,omitempty"`
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

type volume struct {
	Name      string           `json:"name"`
	Projected *projectedVolume `json:"projected,omitempty"`
	EmptyDir  *emptyDirVolume  `json:"emptyDir,omitempty"`
}

type projectedVolume struct {
	Sources     []projection `json:"sources"`
	DefaultMode int          `json:"defaultMode,omitempty"`
}

type projection struct {
	ServiceAccountToken *tokenProjection `json:"serviceAccountToken"`
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

type capabilities struct {
	Drop []string `json:"drop"`
}

type seccompProfile struct {
	Type string `json:"type"`
}
