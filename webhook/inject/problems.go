package inject

// The planner's problem codes: WI050 to WI079. Each has a heading in docs/errors.md.
const (
	codeOwnCredentials   = "WI050" // a container has credentials of its own for a cloud
	codeStaticKeys       = "WI051" // static keys, admitted
	codeStaticKeysDenied = "WI052" // static keys, denied
	codeSecretEnvFrom    = "WI053" // envFrom of a Secret that may hold static keys
	codeHostNetwork      = "WI054" // hostNetwork: direct instead of broker
	codeWindows          = "WI055" // Windows: direct instead of broker
	codeWindowsFile      = "WI056" // a file that a Linux init container writes, on Windows
	codeMountPath        = "WI057" // something else is mounted where a token would be
	codeVolumeName       = "WI058" // a volume of that name holds something else
	codeContainerName    = "WI059" // a container of that name is not ours
	codePort             = "WI060" // a container listens on the broker's port
	codeAllSkipped       = "WI061" // each container is skipped
	codeClientID         = "WI062" // a container asks for another client ID
	codeUnknownSkip      = "WI063" // skip-containers names no container of the pod
	codeNeedsBroker      = "WI064" // the identity asks for what direct mode cannot give
	codeIgnoredInDirect  = "WI065" // a setting without effect in direct mode
	codeNodeMetadata     = "WI066" // a container keeps the node's metadata service
	codeSelection        = "WI067" // a container's SDK looks at another source alone
	codeTooLarge         = "WI068" // the injected pod would be larger than the cluster can store
	codeSharedProcesses  = "WI069" // a container can look into the broker's process
	codeUnknownContainer = "WI070" // aws-role.<container> names no container of the pod
	codeEarlyContainer   = "WI071" // an init container starts before the broker
	codeLateNetwork      = "WI072" // the network comes after the broker
	codeUnknownAfter     = "WI073" // broker-after names no container of the pod
	codePlatform         = "WI074" // the cluster's own webhook has injected AWS
	codeProxy            = "WI075" // a container has a proxy, the broker none
	codeLimitRange       = "WI076" // no room for the sidecar in the namespace's limits
)
