package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/kube/logs"
	"github.com/probity-run/probity/internal/terminal/lines"
)

// attemptLines are lines of what probes have found, which wait until the lines of logs that are
// older were given. The methods of a nil one give nothing.
type attemptLines struct {
	pods map[types.UID]*corev1.Pod
	told map[probeOfPod]time.Time // the last attempt of each probe that was given or waits
	wait []attemptLine
}

type probeOfPod struct {
	pod types.UID
	history.Key
}

type attemptLine struct {
	at   time.Time
	text string
}

func newAttemptLines() *attemptLines {
	return &attemptLines{pods: map[types.UID]*corev1.Pod{}, told: map[probeOfPod]time.Time{}}
}

// read takes the attempts of Pods that were made since a time, unless that is zero; of each Pod the
// last ones alone if there is a tail.
func (l *attemptLines) read(ctx context.Context, client *kube.Client, pods []*corev1.Pod, o logs.Options) error {
	for _, pod := range pods {
		l.pods[pod.UID] = pod
		body, err := client.Attempts(ctx, pod.Namespace, pod.Name, o.Since, false)
		if apierrors.IsNotFound(err) {
			continue // it is gone, or a cluster's
		}
		if err != nil {
			return err
		}
		first := len(l.wait)
		err = eachAttempt(body, func(uid types.UID, found history.Found) error {
			if uid == pod.UID && (o.Container == "" || o.Container == found.Container) {
				l.take(lines.ProbeAttempt{Pod: pod, Found: found}) // also one that the tail cuts off: it is no news
			}
			return nil
		})
		if err != nil {
			return err
		}
		if o.Tail != nil {
			l.wait = slices.Delete(l.wait, first, max(first, len(l.wait)-int(*o.Tail)))
		}
	}
	slices.SortStableFunc(l.wait, func(a, b attemptLine) int { return a.at.Compare(b.at) })
	return nil
}

// eachAttempt reads attempts to their end, and closes what they are read from.
func eachAttempt(body io.ReadCloser, take func(types.UID, history.Found) error) error {
	defer body.Close() // it was only read
	text := bufio.NewScanner(body)
	for text.Scan() {
		found, pod, err := history.ParseFound(text.Bytes())
		if err == nil {
			err = take(pod, found)
		}
		if err != nil {
			return err
		}
	}
	return text.Err()
}

// take takes an attempt, which waits to be given unless it was before.
func (l *attemptLines) take(a lines.ProbeAttempt) {
	key := probeOfPod{a.Pod.UID, a.Key}
	if a.Attempt.Time.After(l.told[key]) {
		l.told[key] = a.Attempt.Time
		l.wait = append(l.wait, attemptLine{a.Attempt.Time, a.String()})
	}
}

// until gives the lines of attempts before an instant, each once.
func (l *attemptLines) until(at time.Time) (texts []string) {
	if l == nil {
		return nil
	}
	for len(l.wait) > 0 && l.wait[0].at.Before(at) {
		texts = append(texts, l.wait[0].text)
		l.wait = l.wait[1:]
	}
	return texts
}

// followAttempts prints what the probes of the selected Pods find until the context is done or the
// run ends. Who reads the logs joins it; it joins a reader for each Pod.
func (p *logPrinter) followAttempts(ctx context.Context, client *kube.Client, selection logs.Selection, o logs.Options) {
	var readers sync.WaitGroup
	defer readers.Wait()
	began, expired := map[types.UID]bool{}, true
	for expired { // all there is comes anew
		expired = false
		for change, err := range kube.Follow[corev1.Pod](ctx, client, kube.Pods, selection.Namespace, selection.Options, selection.Trouble) {
			if err != nil {
				expired = kube.IsExpired(err)
				break // the reading of the logs says what there is to say
			}
			pod := &change.Object
			if change.Type == watch.Deleted {
				continue
			}
			p.mu.Lock()
			p.attempts.pods[pod.UID] = pod
			p.mu.Unlock()
			if !began[pod.UID] {
				began[pod.UID] = true
				readers.Go(func() { p.followAttemptsOf(ctx, client, pod, o) })
			}
		}
	}
}

// followAttemptsOf prints what the probes of one Pod find. It asks for what has been read, too: an
// attempt that was under way then has begun before others, and its time is when it began.
func (p *logPrinter) followAttemptsOf(ctx context.Context, client *kube.Client, pod *corev1.Pod, o logs.Options) {
	body, err := client.Attempts(ctx, pod.Namespace, pod.Name, o.Since, true)
	if apierrors.IsTooManyRequests(err) {
		p.cannotFollow(pod, err)
	}
	if err != nil {
		return // it is gone, or the run is, or there are none: the reading of the logs says what there is to say
	}
	err = eachAttempt(body, func(uid types.UID, found history.Found) error {
		p.mu.Lock()
		defer p.mu.Unlock()
		if uid != pod.UID || o.Container != "" && o.Container != found.Container {
			return nil
		}
		p.attempts.take(lines.ProbeAttempt{Pod: p.attempts.pods[uid], Found: found})
		return p.printAttempts(p.attempts.until(time.Now()))
	})
	if err != nil && ctx.Err() == nil {
		p.cannotFollow(pod, err)
	}
}

// cannotFollow says why attempts of a Pod's probes are missing. The logs go on.
func (p *logPrinter) cannotFollow(pod *corev1.Pod, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.streams.Err, "probity: cannot follow the probes of %s: %v\n", kube.RefTo(pod), err)
}
