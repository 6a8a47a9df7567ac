// Package graph has what a scan for static keys found: which credentials there are, where
// each is kept, and which containers of which workloads read it from there. It never
// holds a secret.
package graph

import (
	"slices"
	"strings"
	"time"

	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/statickey"
)

// Version of the graph as a file: "apiVersion" of its JSON.
const Version = "podpass.io/migrate/v1"

// Graph is what was found. Its lists are sorted, and refer to each other by index.
type Graph struct {
	APIVersion string    `json:"apiVersion"`
	Tool       string    `json:"tool"`
	Version    string    `json:"version"`
	Time       time.Time `json:"time"`
	// Source is the context of the kubeconfig, or the files that were read.
	Source string `json:"source"`
	// Looked says how many objects were read, by what they are.
	Looked      map[string]int `json:"looked"`
	Credentials []Credential   `json:"credentials"`
	Workloads   []Workload     `json:"workloads"`
	// Unread is what could not be read, and why.
	Unread []Unread `json:"unread,omitempty"`
}

// Credential is one static credential, wherever it is kept.
type Credential struct {
	// Fingerprint tells it from others; empty: its value was not read.
	Fingerprint string               `json:"fingerprint,omitempty"`
	Cloud       string               `json:"cloud"`
	Kind        statickey.Kind       `json:"kind"`
	ID          string               `json:"id,omitempty"`
	KeyID       string               `json:"keyID,omitempty"`
	Account     string               `json:"account,omitempty"`
	Confidence  statickey.Confidence `json:"confidence"`
	Evidence    []string             `json:"evidence"`
	Ends        time.Time            `json:"ends,omitzero"`
	Severity    finding.Severity     `json:"severity"`
	// Places are where it is kept.
	Places []Place `json:"places"`
}

// What podpass migrate writes to objects.
const (
	// KeyMigration names, at a workload, the Secret that has the way back; at that Secret
	// it is a label.
	KeyMigration = "podpass.io/migration"
	// KeyUnused says, at what keeps keys, since when nothing reads anything of it.
	KeyUnused = "podpass.io/unused-since"
	// KeyUnusedData says which data keys of a Secret or ConfigMap nothing reads, also where
	// others are read. Where KeyUnused stands beside it, the policy of a finished namespace
	// refuses whoever reads the object at all.
	KeyUnusedData = "podpass.io/unused-keys"
	// Manager is the field manager of all that it writes.
	Manager = "podpass-migrate"
)

// Names are those of lists, sorted, each once.
func Names(lists ...[]string) []string {
	all := slices.Concat(lists...)
	slices.Sort(all)
	return slices.Compact(all)
}

// DataKeys are the keys of a place that are of its object's data, and not of the copy that
// kubectl keeps in an annotation, which no container reads.
func DataKeys(keys []string) []string {
	return slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return strings.HasPrefix(key, ByAnnotation+" ") })
}

// Object names one object of a cluster or of a file.
type Object struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name"`
	// File it was read of; empty: of a cluster.
	File string `json:"file,omitempty"`
}

// String gives kind, namespace and name: "Secret shop/aws".
func (o Object) String() string {
	if o.Namespace == "" {
		return o.Kind + " " + o.Name
	}
	return o.Kind + " " + o.Namespace + "/" + o.Name
}

// Place is where a credential is kept: keys of a Secret, a container's variable, an
// argument, an annotation.
type Place struct {
	Object Object `json:"object"`
	// Keys are the names within the object that hold its secret, sorted: data keys, or
	// places of a pod template as "container app: env AWS_SECRET_ACCESS_KEY".
	Keys []string `json:"keys"`
	// IDKeys are those that hold what belongs to it and is not secret.
	IDKeys []string `json:"idKeys,omitempty"`
	// All are all data keys of a Secret or ConfigMap, sorted.
	All []string `json:"all,omitempty"`
	// Created is when the object was made, which the key is no younger than by much.
	Created time.Time `json:"created,omitzero"`
	// Writer is who wrote the object last, by its managedFields.
	Writer  string    `json:"writer,omitempty"`
	Written time.Time `json:"written,omitzero"`
	// Unused is since when podpass migrate has it marked as unused.
	Unused string `json:"unused,omitempty"`
	// Read: some container reads the object, be it for other data keys of it.
	Read bool `json:"read,omitempty"`
	// Kept: it is kept by podpass migrate for the way back.
	Kept bool `json:"kept,omitempty"`
	// From is the object that makes this one: an ExternalSecret, a SealedSecret; it is
	// what has to be taken away.
	From *Object `json:"from,omitempty"`
	// Uses are the containers that read it from here.
	Uses []Use `json:"uses,omitempty"`
}

// How a container reads a key.
const (
	ByEnv        = "env"
	ByFile       = "file"
	ByArgument   = "argument"
	ByAnnotation = "annotation"
	ByPull       = "imagePullSecret"
)

// Use is one way in which a container of a workload reads what a place keeps.
type Use struct {
	// Workload is an index of Graph.Workloads.
	Workload int `json:"workload"`
	// Container that reads; empty: the pod itself does.
	Container string `json:"container,omitempty"`
	// By is one of ByEnv to ByPull; As the variable, the path, or where it stands.
	By string `json:"by"`
	As string `json:"as"`
}

// Workload is the object that somebody changes to change its pods: the topmost owner that
// has a pod template, or a pod without one.
type Workload struct {
	Object
	ServiceAccount string `json:"serviceAccount"`
	// Template is the JSON pointer of its pod template: "/spec/template"; "" for a pod.
	Template string `json:"template"`
	// Pods is how many run of it; of files it is not known, and 0.
	Pods int `json:"pods"`
	// Owner is what would undo an edit of it: "Helm release shop", "Kustomization apps".
	Owner string `json:"owner,omitempty"`
	// Clouds are those of which its ServiceAccount asks for an identity, sorted; Direct
	// those of them in which SDKs trade the token themselves.
	Clouds []string `json:"clouds,omitempty"`
	Direct []string `json:"direct,omitempty"`
	// Migration names the Secret in which podpass migrate keeps the way back.
	Migration string `json:"migration,omitempty"`
}

// Unread is something that could not be looked at.
type Unread struct {
	What string `json:"what"`
	Why  string `json:"why"`
	// Kind: it is all objects of a kind.
	Kind bool `json:"kind,omitempty"`
	// Uses are containers that read it all the same.
	Uses []Use `json:"uses,omitempty"`
}
