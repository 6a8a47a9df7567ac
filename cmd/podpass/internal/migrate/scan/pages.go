package scan

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// pageSize of a list, as kubectl's.
const pageSize = 500

// maxAhead bounds how much of a page is received before it is looked at: a page of Secrets
// has a few MiB. However large one is, of what is beyond that one object is in memory at a
// time.
const maxAhead = 8 << 20

// metadataOnly asks for objects without spec and data.
const metadataOnly = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

// collection of objects that the API server lists.
type collection struct {
	// base is "/api/v1" or "/apis/GROUP/VERSION".
	base, resource, namespace string
	accept, selector          string
}

// each gives fn each object of a collection, page by page, as JSON that fn must not keep.
// An error of fn ends it.
func each(ctx context.Context, client rest.Interface, of collection, fn func(raw json.RawMessage) error) error {
	next := ""
	var ahead bytes.Buffer
	for {
		page, err := list(ctx, client, of, next, &ahead, fn)
		if status, ok := errors.AsType[*apierrors.StatusError](err); ok && apierrors.IsResourceExpired(err) && status.ErrStatus.Continue != "" && next != "" {
			// The snapshot is gone: the server says how to go on with what is there now.
			next = status.ErrStatus.Continue
			continue
		}
		if err != nil || page == "" {
			return err
		}
		next = page
	}
}

// list reads one page, and gives the token of the next. It is received before it is looked
// at, since the API server is at work on it until then.
func list(ctx context.Context, client rest.Interface, of collection, next string, ahead *bytes.Buffer, fn func(json.RawMessage) error) (string, error) {
	r := client.Get().AbsPath(of.base).NamespaceIfScoped(of.namespace, of.namespace != "").Resource(of.resource).
		Param("limit", strconv.Itoa(pageSize)).SetHeader("Accept", of.accept)
	if next != "" {
		r = r.Param("continue", next)
	}
	if of.selector != "" {
		r = r.Param("labelSelector", of.selector)
	}
	body, err := r.Stream(ctx)
	if err != nil {
		return "", err
	}
	defer body.Close()
	ahead.Reset()
	if _, err := io.CopyN(ahead, body, maxAhead); err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("list %s: %w", of.resource, err)
	}
	meta, err := items(io.MultiReader(ahead, body), fn)
	if err != nil {
		return "", fmt.Errorf("list %s: %w", of.resource, err)
	}
	return meta.Continue, nil
}

// items reads a list as a stream: its items one by one, and its metadata.
func items(r io.Reader, fn func(json.RawMessage) error) (metav1.ListMeta, error) {
	var meta metav1.ListMeta
	d := json.NewDecoder(r)
	if _, err := d.Token(); err != nil {
		return meta, err
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return meta, err
		}
		switch name {
		case "metadata":
			err = d.Decode(&meta)
		case "items":
			err = elements(d, fn)
		default:
			var skipped json.RawMessage
			err = d.Decode(&skipped)
		}
		if err != nil {
			return meta, err
		}
	}
	_, err := d.Token()
	return meta, err
}

func elements(d *json.Decoder, fn func(json.RawMessage) error) error {
	if t, err := d.Token(); err != nil || t == nil { // items may be null
		return err
	}
	var raw json.RawMessage
	for d.More() {
		if err := d.Decode(&raw); err != nil {
			return err
		}
		if err := fn(raw); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}
