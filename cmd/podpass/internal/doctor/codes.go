package doctor

import "slices"

// Codes of what doctor finds, WI100 to WI191; those of the issuer are federation/issuer's,
// and a ServiceAccount's or pod's own problems keep the webhook's. Each has a heading in
// docs/errors.md.
const (
	codeUnreachable   = "WI100" // the cluster does not answer
	codeForbidden     = "WI101" // this kubeconfig may not read something
	codeOldServer     = "WI102" // no native sidecars
	codeNotThere      = "WI103" // what was named does not exist
	codeRefused       = "WI104" // a workload's pods are refused
	codeNotInstalled  = "WI120"
	codeNoSettings    = "WI121" // the installation's ConfigMap is missing
	codeBadSettings   = "WI122" // it cannot be read
	codeCABundle      = "WI123" // the registration's CA is missing, or has ended
	codeNoEndpoints   = "WI124" // a Service of the webhook has no ready endpoint
	codeVersions      = "WI125" // replicas of the webhook have different images
	codeRegistration  = "WI126" // the registration is not as the chart has it
	codeOtherWebhook  = "WI127" // another webhook of the same kind
	codeSeveral       = "WI128" // several installations
	codeReplicaDown   = "WI129" // a replica of the webhook is not available
	codeNoAccount     = "WI130" // the ServiceAccount does not exist
	codeAsksNothing   = "WI131" // it asks for no identity
	codePodRefused    = "WI132" // a pod of it is refused, by dry run
	codeNotInjected   = "WI133" // ... is admitted without what podpass injects
	codeOlderThanHook = "WI140" // not injected, older than the installation
	codeOlderThanNote = "WI141" // not injected, older than the annotation
	codeExcluded      = "WI142" // not injected, in an excluded namespace
	codeOptedOut      = "WI143" // not injected, by its label
	codeMissed        = "WI144" // not injected, though the webhook should have been asked
	codeDamaged       = "WI145" // injected, and something is missing
	codeOtherIdentity = "WI146" // injected with another identity than is asked for now
	codeOtherSidecar  = "WI147" // the sidecar is not the installation's
	codeSidecarDown   = "WI148" // the sidecar does not run
	codeKey           = "WI150" // a static key in a variable
	codeKeyFile       = "WI151" // a variable that names a key's file
	codeKeySecret     = "WI152" // envFrom of a Secret that may hold keys
	codeTokenRefused  = "WI160" // the cluster gives no token
	codeClaims        = "WI161" // the token is not what was asked for
	codeTokenLife     = "WI162" // the cluster shortens tokens
	codeEgress        = "WI170" // NetworkPolicies let nothing out to the clouds
	codeDNS           = "WI171" // NetworkPolicies let no DNS out
	codeEgressSome    = "WI172" // NetworkPolicies let out to some networks alone
	codeIssuerUnknown = "WI180" // the cloud does not trust the issuer
	codeAudience      = "WI181" // ... nor the audience
	codeSubject       = "WI182" // ... nor the subject
	codeDenied        = "WI183" // a policy of the cloud says no
	codeUnavailable   = "WI184" // the cloud does not answer
	codeThrottled     = "WI185" // too many requests
	codeExchange      = "WI186" // what is asked for cannot work
	codeExplain       = "WI187" // the pod's broker cannot be asked
	codeNoDocument    = "WI190" // no trust document of the identity was given
	codeUnnamed       = "WI191" // the trust document does not name its identity
)

// later are the checks after one, in the chain's order.
func later(name string) []string {
	at := slices.IndexFunc(chain, func(c check) bool { return c.name == name })
	return names(chain[at+1:])
}

// ofIdentities are the checks that are about what a ServiceAccount asks for.
var ofIdentities = []string{checkAccount, checkAdmission, checkPod, checkKeys, checkToken, checkNetwork, checkExchange, checkBroker, checkTrust}

// pointless are the later checks of the same object that a finding makes so, by code: by
// its fault they would find the same, or what is wrong.
var pointless = map[string][]string{
	codeUnreachable:  later(checkCluster),
	codeNotInstalled: {checkAdmission, checkPod, checkBroker},
	// By other settings another identity would be looked for.
	codeNoSettings:  ofIdentities,
	codeBadSettings: ofIdentities,

	codeNoAccount:   later(checkAccount),
	codeAsksNothing: later(checkAccount),

	// Nothing of podpass is in the pod.
	codeOlderThanHook: {checkNetwork, checkBroker},
	codeOlderThanNote: {checkNetwork, checkBroker},
	codeExcluded:      {checkNetwork, checkBroker},
	codeOptedOut:      {checkKeys, checkNetwork, checkBroker},
	codeMissed:        {checkNetwork, checkBroker},
	codeSidecarDown:   {checkBroker},

	codeTokenRefused: {checkExchange, checkTrust},
}
