// Package edit takes a static key out of a workload's pod template, and can put it back.
//
// [Patch] gives the change as JSON patches (RFC 6902): one that takes out, which holds no
// value of the workload, so that it can be shown, reviewed and committed; and one that
// undoes it, which holds every value taken out and does not print. [Empty] gives the same
// template for a canary, [Kustomize] the same change for an owner.
//
// The change is by place and says so: before it takes anything out, it tests the names
// that stand there (of containers, variables, volumes), never a value. An argument that
// stands alone has no name; for it, only the container's is tested. What is not there is
// left, and told.
package edit

// Kinds of what a File comes from, and of an EnvFrom the first two.
const (
	Secret    = "Secret"
	ConfigMap = "ConfigMap"
	// SecretProviderClass is of the Secrets Store CSI driver.
	SecretProviderClass = "SecretProviderClass"
	// CSI is a CSI volume of any driver, by the volume's own name.
	CSI = "CSI"
)

// Removal is what is to be taken out of a workload. Containers are init containers, too;
// ephemeral ones are never touched, since they cannot be changed.
type Removal struct {
	// Template is the JSON pointer of the pod template: "/spec/template"; "" for a pod.
	Template string    `json:"template"`
	Env      []Env     `json:"env,omitempty"`
	EnvFrom  []EnvFrom `json:"envFrom,omitempty"`
	Files    []File    `json:"files,omitempty"`
	Args     []Arg     `json:"args,omitempty"`
	// Annotations are names of those of the template.
	Annotations []string `json:"annotations,omitempty"`
	// OwnAnnotations are those of the workload itself. What "kubectl apply" has made also
	// has a copy of its template there, with the literal values that go here:
	// kubectl.kubernetes.io/last-applied-configuration.
	OwnAnnotations []string `json:"ownAnnotations,omitempty"`
}

// Env is a variable, however it gets its value.
type Env struct {
	Container string `json:"container"`
	Name      string `json:"name"`
}

// EnvFrom is a reference that makes a variable of each data key of an object.
type EnvFrom struct {
	Container string `json:"container"`
	// Kind is Secret or ConfigMap.
	Kind string `json:"kind"`
	Name string `json:"name"`
	// Keys are the data keys that are to go.
	Keys []string `json:"keys,omitempty"`
	// Keep are those that the application needs: they are set one by one instead. A key
	// whose variable another, later reference sets as well does not belong here.
	Keep []string `json:"keep,omitempty"`
}

// File is what an object's volumes show.
type File struct {
	// Kind is one of Secret to CSI.
	Kind string `json:"kind"`
	Name string `json:"name"`
	// Keys are the data keys whose files go; empty: all of them.
	Keys []string `json:"keys,omitempty"`
	// All are all data keys of the object: a volume that does not list its items is made
	// to list the others.
	All []string `json:"all,omitempty"`
}

// Lists of arguments.
const (
	Command = "command"
	Args    = "args"
)

// Arg is an element of a container's command line.
type Arg struct {
	Container string `json:"container"`
	// List is Command or Args, Index the element that holds the value.
	List  string `json:"list"`
	Index int    `json:"index"`
	// Of is how many elements the list had: with another number of them the element is
	// taken for another one, and left.
	Of int `json:"of"`
	// Flag begins the element ("--secret-key" of "--secret-key=..."), or is the element
	// before it, which goes with it; empty: the value stands for itself.
	Flag string `json:"flag,omitempty"`
}
