package deploy

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/rollout"
)

// beforeServer takes what is applied, and has a Job that ends after 5 s with a condition, or never.
func beforeServer(begun time.Time, ends batchv1.JobConditionType, sent *[]string) answering {
	job := func(over bool) batchv1.Job {
		job := jobList(over && ends == batchv1.JobComplete).Items[0]
		if over && ends == batchv1.JobFailed {
			job.Status.Conditions = []batchv1.JobCondition{{Type: ends, Status: corev1.ConditionTrue, Reason: "BackoffLimitExceeded"}}
			job.Status.Failed = 2
		}
		return job
	}
	return func(r *http.Request) (int, any) {
		after := 5*time.Second - time.Since(begun)
		switch {
		case r.Method == http.MethodPatch:
			*sent = append(*sent, r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]+" at "+time.Since(begun).Round(time.Second).String())
			kind := map[bool]string{true: "Job", false: "ConfigMap"}[strings.HasSuffix(r.URL.Path, "/migrate")]
			apiVersion := map[bool]string{true: "batch/v1", false: "v1"}[kind == "Job"]
			return 201, map[string]any{"apiVersion": apiVersion, "kind": kind, "metadata": map[string]any{"name": "migrate", "namespace": "shop", "uid": "u"}}
		case !strings.HasSuffix(r.URL.Path, "/jobs"):
		case r.URL.Query().Get("watch") == "":
			over := ends != "" && after <= 0
			return 200, batchv1.JobList{ListMeta: jobList(false).ListMeta, Items: []batchv1.Job{job(over)}}
		case ends != "" && after > 0:
			time.Sleep(after) // in virtual time
			return 200, kube.Change[any]{Type: "MODIFIED", Object: job(true)}
		}
		if r.URL.Query().Get("watch") != "" {
			return 200, nil
		}
		return 200, map[string]any{"metadata": map[string]any{"resourceVersion": "8"}}
	}
}

// TestApplyBefore: what comes after a Job that has to finish is applied once that is complete, and
// not at all if it fails, takes too long, or somebody loses patience.
func TestApplyBefore(t *testing.T) {
	const text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\n---\n" +
		"apiVersion: batch/v1\nkind: Job\nmetadata: {name: migrate, namespace: shop, annotations: {probity.run/before: 'VALUE'}}\n---\n" +
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: shop}\n"
	tests := map[string]struct {
		value     string
		ends      batchv1.JobConditionType
		interrupt time.Duration
		want      string // sent
		outcome   rollout.Outcome
		err       error
	}{
		"complete":    {"true", batchv1.JobComplete, 0, "settings at 0s, migrate at 0s, web at 5s", "", nil},
		"failed":      {"true", batchv1.JobFailed, 0, "settings at 0s, migrate at 0s", rollout.Failed, nil},
		"never":       {"true", "", 0, "settings at 0s, migrate at 0s", rollout.NotKnown, nil},
		"interrupted": {"true", "", 3 * time.Second, "settings at 0s, migrate at 0s", "", ErrInterrupted},
		"not so":      {"false", "", 0, "settings at 0s, web at 0s, migrate at 0s", "", nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if test.interrupt > 0 {
					time.AfterFunc(test.interrupt, cancel)
				}
				var sent []string
				d, told := bound(t, strings.ReplaceAll(text, "VALUE", test.value), beforeServer(time.Now(), test.ends, &sent))
				d.options.Before = FollowOptions{Times: rollout.Options{Timeout: time.Minute}}
				err := d.Apply(ctx)
				if got := strings.Join(sent, ", "); got != test.want {
					t.Errorf("it sends %s, want %s", got, test.want)
				}
				before, isBefore := errors.AsType[*BeforeError](err)
				switch {
				case isBefore != (test.outcome != ""), !isBefore && !errors.Is(err, test.err):
					t.Fatalf("error %v, want %v", err, test.err)
				case isBefore && (before.Results[0].Verdict == nil || before.Results[0].Verdict.Outcome != test.outcome):
					t.Errorf("the verdict is %+v, want %s", before.Results[0].Verdict, test.outcome)
				case isBefore && err.Error() != "job/migrate had to finish first (probity.run/before): nothing that comes after was applied":
					t.Errorf("it says %v", err)
				}
				said := strings.Contains(strings.Join(*told, "\n"), "migrate has finished")
				if age := time.Since(d.begun); err == nil && age > 0 {
					t.Errorf("the rollout is late by %v when it begins", age)
				}
				if finished := d.Entries[1].finished; finished != strings.HasSuffix(test.want, "5s") || said != finished {
					t.Errorf("finished: %v, said: %v", finished, said)
				}
			})
		})
	}
}
