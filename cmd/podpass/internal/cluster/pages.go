package cluster

import (
	"context"
	"encoding/json"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
)

// pageSize of a list: some hundred KiB of metadata, some MiB of pods.
const pageSize = 500

// EachMetadata gives fn the metadata of each object of a kind, in one namespace or, if
// that is empty, in all; page by page, so that a large cluster takes no more memory than
// a small one. An error of fn ends it.
func EachMetadata(ctx context.Context, config *rest.Config, kind schema.GroupVersionResource, namespace string, options metav1.ListOptions, fn func(*metav1.PartialObjectMetadata) error) error {
	client, err := metadata.NewForConfig(config)
	if err != nil {
		return err
	}
	options.Limit = pageSize
	for {
		list, err := client.Resource(kind).Namespace(namespace).List(ctx, options)
		if err != nil {
			return err
		}
		for i := range list.Items {
			if err := fn(&list.Items[i]); err != nil {
				return err
			}
		}
		if options.Continue = list.Continue; options.Continue == "" {
			return nil
		}
	}
}

// EachPod gives fn the JSON of each pod as the API server has it: what decides of a pod
// is read of that, and a field that this program does not know is not lost. fn must not
// keep it.
func EachPod(ctx context.Context, core rest.Interface, namespace string, options metav1.ListOptions, fn func(raw []byte) error) error {
	options.Limit = pageSize
	for {
		body, err := core.Get().NamespaceIfScoped(namespace, namespace != "").Resource("pods").
			VersionedParams(&options, scheme.ParameterCodec).SetHeader("Accept", "application/json").Do(ctx).Raw()
		if err != nil {
			return err
		}
		var list struct {
			Metadata metav1.ListMeta   `json:"metadata"`
			Items    []json.RawMessage `json:"items"`
		}
		if err := json.Unmarshal(body, &list); err != nil {
			return err
		}
		for _, raw := range list.Items {
			if err := fn(raw); err != nil {
				return err
			}
		}
		if options.Continue = list.Metadata.Continue; options.Continue == "" {
			return nil
		}
	}
}
