package plan

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/federation/statickey"
)

// paths are the values in a tree, as YAML has it, that hold a key: "s3.secretKey". What
// stands beside each other is looked at together, since an ID tells what its secret is.
func paths(tree any, same func(statickey.Key) bool) []string {
	var all []string
	walk(tree, "", func(beside []statickey.Named, prefix string) {
		for _, k := range statickey.Find(beside).Keys {
			if !same(k) {
				continue
			}
			for _, part := range k.Parts {
				all = append(all, prefix+part)
			}
		}
	})
	return graph.Names(all)
}

// walk gives look the texts of each object and list of a tree, and where it is.
func walk(tree any, prefix string, look func(beside []statickey.Named, prefix string)) {
	var beside []statickey.Named
	child := func(name string, v any) {
		if text, ok := v.(string); ok {
			beside = append(beside, statickey.Named{Name: name, Value: []byte(text)})
			return
		}
		walk(v, prefix+name+".", look)
	}
	switch tree := tree.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(tree)) {
			child(name, tree[name])
		}
	case []any:
		for i, v := range tree {
			child(strconv.Itoa(i), v)
		}
	}
	if len(beside) > 0 {
		look(beside, prefix)
	}
}

// maxRelease bounds what a release is unpacked to: a Secret has at most 1 MiB, packed.
const maxRelease = 64 << 20

// release gives the values of a Helm release that was installed with some, as Helm keeps
// them: JSON, packed, in base64, in a Secret. nil: there is none that may be read.
func release(ctx context.Context, client kubernetes.Interface, namespace, name string) any {
	list, err := client.CoreV1().Secrets(namespace).List(ctx, metav1.ListOptions{LabelSelector: "owner=helm,status=deployed,name=" + name, Limit: 1})
	if err != nil || len(list.Items) == 0 {
		return nil
	}
	values, err := unpack(list.Items[0].Data["release"])
	if err != nil {
		return nil
	}
	return values
}

func unpack(data []byte) (any, error) {
	packed, err := base64.StdEncoding.DecodeString(string(data))
	if err != nil {
		return nil, fmt.Errorf("reading a Helm release: %w", err)
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("reading a Helm release: %w", err)
	}
	var of struct {
		Config any `json:"config"`
	}
	if err := json.NewDecoder(io.LimitReader(r, maxRelease)).Decode(&of); err != nil {
		return nil, fmt.Errorf("reading a Helm release: %w", err)
	}
	return of.Config, nil
}
