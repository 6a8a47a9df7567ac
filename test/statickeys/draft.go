package statickeys

import (
	"encoding/base64"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/podpass-io/podpass/federation/statickey"
)

// draft is a case before its objects are made. Its Secret, ConfigMap and ServiceAccount
// have its name.
type draft struct {
	name string
	// workload is the workload's kind.
	workload string
	pod      pod
	// ownAccount gives the workload a ServiceAccount of its own; without, it runs as default.
	ownAccount bool
	secret     map[string]string
	// secretType is Opaque if empty.
	secretType corev1.SecretType
	// stringData writes the Secret's values as people do by hand.
	stringData bool
	configMap  map[string]string

	found
	// in is "Secret", "ConfigMap", or empty for the workload itself; key where in it.
	in, key string
}

// found is what a scan must say of a key, and what it must not show.
type found struct {
	cloud   string
	kind    statickey.Kind
	id      string
	secrets []string
}

func (d draft) build(namespace string) Case {
	c := Case{
		Name: d.name, Cloud: d.cloud, Kind: string(d.kind), ID: d.id,
		Object: d.workload + " " + d.name, Key: d.key, Workload: d.workload + " " + d.name, Secrets: d.secrets,
	}
	if d.in != "" {
		c.Object = d.in + " " + d.name
	}
	// The ServiceAccount comes first: Kubernetes deletes a token's Secret without one.
	if d.ownAccount {
		c.Objects = append(c.Objects, object("v1", "ServiceAccount", namespace, d.name))
	}
	if d.secret != nil {
		c.Objects = append(c.Objects, d.secretObject(namespace))
	}
	if d.configMap != nil {
		o := object("v1", "ConfigMap", namespace, d.name)
		o.Object["data"] = textMap(d.configMap)
		c.Objects = append(c.Objects, o)
	}
	c.Objects = append(c.Objects, workload(namespace, d.name, d.workload, d.template()))
	return c
}

func (d draft) secretObject(namespace string) unstructured.Unstructured {
	o := object("v1", "Secret", namespace, d.name)
	if d.secretType != "" {
		o.Object["type"] = string(d.secretType)
	}
	if d.secretType == corev1.SecretTypeServiceAccountToken {
		o.SetAnnotations(map[string]string{corev1.ServiceAccountNameKey: d.name})
	}
	if d.stringData {
		o.Object["stringData"] = textMap(d.secret)
		return o
	}
	data := map[string]any{}
	for key, value := range d.secret {
		data[key] = base64.StdEncoding.EncodeToString([]byte(value))
	}
	o.Object["data"] = data
	return o
}

// object is one without anything but its name.
func object(apiVersion, kind, namespace, name string) unstructured.Unstructured {
	var o unstructured.Unstructured
	o.SetAPIVersion(apiVersion)
	o.SetKind(kind)
	o.SetNamespace(namespace)
	o.SetName(name)
	return o
}

func textMap(texts map[string]string) map[string]any {
	m := map[string]any{}
	for key, value := range texts {
		m[key] = value
	}
	return m
}
