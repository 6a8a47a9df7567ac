package statickeys

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Case is one workload and the one place that its static key is kept in; or, a decoy, one
// that holds what looks like a key and is none.
type Case struct {
	// Name is a DNS label that no other case has: "env-literal". The workload has it too.
	Name string
	// Objects are the workload and what it needs, in the order in which to create them.
	Objects []unstructured.Unstructured
	// Cloud, Kind and ID are what a scan must say of the key; empty for a decoy.
	Cloud, Kind, ID string
	// Object is what the key is kept in, and Key where in it: "Secret env-secret" and its
	// data key, or "Deployment env-literal" and "container app: env AWS_SECRET_ACCESS_KEY".
	// Of a decoy it is where the look-alike is.
	Object, Key string
	// Workload is the kind and name of the workload: "Deployment env-literal".
	Workload string
	// Secrets are the values that no output may show, as they are in plain text. A decoy
	// that holds nothing but public values has none.
	Secrets []string
}

// Cases gives the 24 workloads with a static key.
func Cases(namespace string) []Case {
	return build(namespace, slices.Concat(awsVariables(), awsFiles(), awsElsewhere(), googleKeys(), azureClients(), azureStorage(), clusterKeys(namespace)))
}

// Decoys gives the 24 workloads without one.
func Decoys(namespace string) []Case {
	return build(namespace, slices.Concat(decoyText(), decoyKeys(), decoyCertificates(), decoyTokens(namespace), decoyConfigs()))
}

func build(namespace string, drafts []draft) []Case {
	cases := make([]Case, len(drafts))
	for i, d := range drafts {
		cases[i] = d.build(namespace)
	}
	return cases
}
