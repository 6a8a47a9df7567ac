// Informer is a plain client-go informer of ServiceAccounts, as most controllers
// have one: what the webhook's store is measured against.
package main

import (
	"fmt"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run() error {
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		return err
	}
	config.ContentType = "application/vnd.kubernetes.protobuf" // the best that it can do
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	accounts := factory.Core().V1().ServiceAccounts()
	informer := accounts.Informer()
	factory.Start(make(chan struct{}))
	if !cache.WaitForCacheSync(make(chan struct{}), informer.HasSynced) {
		return fmt.Errorf("not synced")
	}
	annotated := 0
	for _, o := range informer.GetStore().List() {
		if len(o.(*corev1.ServiceAccount).Annotations) > 0 {
			annotated++
		}
	}
	fmt.Println("synced", len(informer.GetStore().ListKeys()), annotated)
	time.Sleep(time.Hour)
	return nil
}
