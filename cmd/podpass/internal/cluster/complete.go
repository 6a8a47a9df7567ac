package cluster

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/metadata"
)

// completionTime bounds what somebody waits for who has pressed the tab key.
const completionTime = 2 * time.Second

// maxNames bounds what is completed: nobody reads more.
const maxNames = 500

// Kinds whose names are completed.
var (
	Namespaces      = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
	ServiceAccounts = schema.GroupVersionResource{Version: "v1", Resource: "serviceaccounts"}
	Pods            = schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	Deployments     = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
)

// Names are those of the objects of a kind in the chosen namespace, for completion:
// where they cannot be had there are none.
func (f *Flags) Names(ctx context.Context, kind schema.GroupVersionResource) []string {
	ctx, cancel := context.WithTimeout(ctx, completionTime)
	defer cancel()
	config, err := f.REST("")
	if err != nil {
		return nil
	}
	client, err := metadata.NewForConfig(config)
	if err != nil {
		return nil
	}
	resource := client.Resource(kind)
	objects := metadata.ResourceInterface(resource)
	if kind != Namespaces {
		namespace, err := f.Namespace()
		if err != nil {
			return nil
		}
		objects = resource.Namespace(namespace)
	}
	list, err := objects.List(ctx, metav1.ListOptions{Limit: maxNames})
	if err != nil {
		return nil
	}
	var names []string
	for _, o := range list.Items {
		names = append(names, o.Name)
	}
	return names
}
