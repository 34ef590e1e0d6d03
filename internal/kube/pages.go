package kube

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// pageLimit is how many objects a page has unless the options say: more cost memory, fewer cost the
// server a read each.
const pageLimit = 500

// ListOf is a list of a kind that Kubernetes' own types know, as *corev1.PodList is one.
type ListOf[L any] interface {
	*L
	metav1.ListInterface
	Unmarshal(data []byte) error
}

// Page is a part of a list.
type Page[L any] struct {
	// First says that the list begins: what was kept of pages before, it is to take the place of.
	First bool
	List  *L
}

// Pages reads a list of a typed kind page by page, in protobuf where the server has it. Together
// they are the list of one moment. If that moment is too long ago in the midst of it, the list
// begins again, once. It ends after an error.
func Pages[L any, P ListOf[L]](ctx context.Context, c *Client, kind Kind, namespace string, options metav1.ListOptions) iter.Seq2[Page[L], error] {
	return func(yield func(Page[L], error) bool) {
		again := true
		for first := true; ; first = false {
			var list P = new(L)
			err := c.page(ctx, kind, namespace, options, list)
			if apierrors.IsResourceExpired(err) && options.Continue != "" && again {
				options.Continue, again = "", false
				err, list = nil, new(L)
				if err = c.page(ctx, kind, namespace, options, list); err == nil {
					first = true
				}
			}
			if !yield(Page[L]{first, (*L)(list)}, err) || err != nil {
				return
			}
			if options.Continue = list.GetContinue(); options.Continue == "" {
				return
			}
		}
	}
}

// page reads one page.
func (c *Client) page(ctx context.Context, kind Kind, namespace string, options metav1.ListOptions, into interface{ Unmarshal(data []byte) error }) error {
	query := listQuery(options)
	limit := options.Limit
	if limit == 0 {
		limit = pageLimit
	}
	query.Set("limit", strconv.FormatInt(limit, 10))
	if options.Continue != "" {
		query.Set("continue", options.Continue)
		query.Del("resourceVersion") // the token says which one
	}
	header := http.Header{"Accept": {runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON}}
	response, err := c.request(ctx, http.MethodGet, kind.path(namespace), query, header, nil)
	if err != nil {
		return err
	}
	defer response.Body.Close() // it was only read
	data, err := io.ReadAll(&bounded{response.Body, maxPage})
	if err != nil {
		return fmt.Errorf("cannot read what the server answers: %w", err)
	}
	if strings.HasPrefix(response.Header.Get("Content-Type"), runtime.ContentTypeProtobuf) {
		err = decodeProtobuf(data, into)
	} else {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		return fmt.Errorf("cannot read what the server answers: %w", err)
	}
	return nil
}

// protobufPrefix is what objects in protobuf begin with.
var protobufPrefix = []byte("k8s\x00")

// decodeProtobuf reads an object in Kubernetes' envelope: four bytes, then a [runtime.Unknown].
func decodeProtobuf(data []byte, into interface{ Unmarshal(data []byte) error }) error {
	body, ok := bytes.CutPrefix(data, protobufPrefix)
	if !ok {
		return fmt.Errorf("it does not begin as protobuf of Kubernetes does")
	}
	var envelope runtime.Unknown
	if err := envelope.Unmarshal(body); err != nil {
		return err
	}
	return into.Unmarshal(envelope.Raw)
}
