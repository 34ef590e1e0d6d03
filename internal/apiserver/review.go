package apiserver

import (
	"net/http"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// userName is who everybody is that has the token.
const userName = "probity"

// review answers a question: about the client, who may do everything as it has the token, or about
// manifests.
func (c *call) review() (runtime.Object, int, error) {
	o, err := c.decode(c.resource.GVK, "")
	if err != nil {
		return nil, 0, err
	}
	switch review := o.(type) {
	case *authorizationv1.SelfSubjectAccessReview:
		review.Status = authorizationv1.SubjectAccessReviewStatus{Allowed: true, Reason: "who has the token may do everything"}
	case *authorizationv1.SelfSubjectRulesReview:
		review.Status = authorizationv1.SubjectRulesReviewStatus{
			ResourceRules:    []authorizationv1.ResourceRule{{Verbs: []string{"*"}, APIGroups: []string{"*"}, Resources: []string{"*"}}},
			NonResourceRules: []authorizationv1.NonResourceRule{{Verbs: []string{"*"}, NonResourceURLs: []string{"*"}}},
		}
	case *ApplyRequest:
		return c.applyFiles(review)
	case *authenticationv1.SelfSubjectReview:
		review.Status.UserInfo = authenticationv1.UserInfo{Username: userName, Groups: []string{"system:masters", "system:authenticated"}}
	}
	return o, http.StatusCreated, nil
}

// applyFiles has the run apply manifests.
func (c *call) applyFiles(request *ApplyRequest) (runtime.Object, int, error) {
	var options metav1.CreateOptions
	if err := c.parameters(&options); err != nil {
		return nil, 0, err
	}
	applier := c.server.opts.Applier
	switch {
	case applier == nil:
		return nil, 0, methodNotSupported()
	case len(options.DryRun) > 0:
		request.Status = ApplyRequestStatus{}
	case c.server.opts.Stopping():
		return nil, 0, stopping(c.resource, "")
	default:
		request.Status = applier.ApplyFiles(c.r.Context(), request.Spec)
	}
	request.Status.Run = applier.Describe()
	return request, http.StatusCreated, nil
}
