package sastore

import (
	"context"
	"errors"
	"io"
	"net/http"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/metadata"
	"k8s.io/klog/v2"
)

const (
	// firstPage and maxPage are numbers of ServiceAccounts; the first is what other
	// clients of Kubernetes ask for.
	firstPage, maxPage = 500, 2000
	// maxPageBytes bounds a page. Decoded, and with what reading it leaves behind, it takes
	// about four times that. 2,000 ordinary ServiceAccounts are just below it.
	maxPageBytes = 2 << 20
)

var errPageTooLarge = errors.New("page of the list is too large")

// list gives each of the pages of all ServiceAccounts to take, and the resource version
// that they are of. How many make a page follows from their size: anybody may annotate
// a ServiceAccount with 256 KiB, and the metadata of one may have 1.5 MiB.
func list(ctx context.Context, client metadata.Interface, take func([]metav1.PartialObjectMetadata)) (resourceVersion string, err error) {
	options := metav1.ListOptions{Limit: firstPage}
	for {
		page, size, err := listPage(ctx, client, options)
		if errors.Is(err, errPageTooLarge) && options.Limit > 1 {
			options.Limit = max(1, options.Limit/4)
			continue
		}
		if err != nil {
			return "", err
		}
		take(page.Items)
		if options.Continue = page.Continue; options.Continue == "" {
			return page.ResourceVersion, nil
		}
		if size < maxPageBytes/2 {
			options.Limit = min(2*options.Limit, maxPage)
		}
	}
}

func listPage(ctx context.Context, client metadata.Interface, options metav1.ListOptions) (*metav1.PartialObjectMetadataList, int64, error) {
	allowance := &allowance{left: maxPageBytes}
	if options.Limit == 1 {
		allowance.left = maxObjectBytes
	}
	ctx = context.WithValue(ctx, allowanceKey{}, allowance)
	// A page that is too large is no error to be logged, and any other is returned.
	ctx = klog.NewContext(ctx, klog.Logger{})
	before := allowance.left
	page, err := client.Resource(serviceAccounts).List(ctx, options)
	return page, before - allowance.left, err
}

// maxObjectBytes bounds one ServiceAccount, as client-go bounds an event of a watch. What
// an API server accepts is far below.
const maxObjectBytes = 16 << 20

// allowance is how many bytes an answer may still have.
type allowance struct{ left int64 }

type allowanceKey struct{}

// boundAnswers is a transport whose answers end with errPageTooLarge where the request's
// context has an allowance and it is used up.
func boundAnswers(next http.RoundTripper) http.RoundTripper { return transport{next} }

type transport struct{ next http.RoundTripper }

func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	if a, ok := req.Context().Value(allowanceKey{}).(*allowance); ok && err == nil {
		resp.Body = &boundBody{resp.Body, a}
	}
	return resp, err
}

type boundBody struct {
	io.ReadCloser
	allowance *allowance
}

func (b *boundBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.allowance.left -= int64(n); b.allowance.left < 0 {
		return 0, errPageTooLarge
	}
	return n, err
}
