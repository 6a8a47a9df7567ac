package statickeys

import (
	"bytes"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// Manifests gives the objects of the cases as YAML of many documents.
func Manifests(cases []Case) []byte {
	var objects []unstructured.Unstructured
	for _, c := range cases {
		objects = append(objects, c.Objects...)
	}
	return documents(objects)
}

func documents(objects []unstructured.Unstructured) []byte {
	var all bytes.Buffer
	for _, o := range objects {
		all.WriteString("---\n")
		all.Write(must(yaml.Marshal(o.Object)))
	}
	return all.Bytes()
}
