package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/probity-run/probity/test/differential/cluster"
	"github.com/probity-run/probity/test/differential/recording"
	"github.com/probity-run/probity/test/differential/scenario"
	"github.com/probity-run/probity/test/differential/stage"
)

// tries is how often a scenario is played that tells nothing, or is unlike its recording; once more
// as often alone.
const tries = 4

// players play scenarios on a cluster. They own the goroutines in which they do.
type players struct {
	// once plays a scenario in a namespace and says what that tells.
	once    func(ctx context.Context, s scenario.Scenario, namespace string) (verdict, error)
	options options
	pace    *pace
	until   time.Time // zero: for ever

	mu       sync.Mutex // guards verdicts and errs
	verdicts map[string]verdict
	errs     []error
}

func newPlayers(o options, once func(context.Context, scenario.Scenario, string) (verdict, error)) *players {
	return &players{once: once, options: o, pace: newPace(o.parallel), verdicts: map[string]verdict{}}
}

func playScenarios(ctx context.Context, c *cluster.Cluster, o options) error {
	chosen, err := scenario.Choose(o.ids)
	if err != nil {
		return err
	}
	p := newPlayers(o, func(ctx context.Context, s scenario.Scenario, namespace string) (verdict, error) {
		return playOnce(ctx, c, o, s, namespace)
	})
	if o.like != "" {
		slog.Info("In an order of chance", "seed", o.seed)
		rand.New(rand.NewPCG(o.seed, 0)).Shuffle(len(chosen), func(i, j int) { chosen[i], chosen[j] = chosen[j], chosen[i] })
	}
	if o.length > 0 {
		p.until = time.Now().Add(o.length)
	}
	p.playAll(ctx, chosen)
	p.playAlone(ctx, chosen)
	text, err := summary(p.verdicts)
	fmt.Println(text)
	if len(p.errs) > 0 && errors.Is(err, errTooBusy) {
		err = nil // not for want of time
	}
	if o.like == "" && len(p.errs) == 0 && err == nil {
		for id, v := range p.verdicts {
			if v != recorded {
				err = errors.Join(err, fmt.Errorf("cannot record %s: %s", id, v))
			}
		}
	}
	return errors.Join(append(p.errs, err)...)
}

// playAll plays scenarios, as many at a time as the machine can.
func (p *players) playAll(ctx context.Context, chosen []scenario.Scenario) {
	var playing sync.WaitGroup
	for _, s := range chosen {
		p.verdicts[s.ID] = notPlayed
	}
	for _, s := range chosen {
		ticket := p.pace.begin()
		if p.over(ctx) {
			p.pace.end(ticket, false)
			break
		}
		playing.Go(func() { p.playUntilTold(ctx, s, ticket) })
	}
	playing.Wait()
}

// playUntilTold plays a scenario again that tells nothing, or is unlike its recording.
func (p *players) playUntilTold(ctx context.Context, s scenario.Scenario, ticket int) {
	for try := range tries {
		if p.over(ctx) {
			p.pace.end(ticket, false)
			return
		}
		v := p.play(ctx, s, try)
		p.pace.end(ticket, v == disturbed || v == unlike)
		if v == recorded || v == "" || try == tries-1 {
			return
		}
		ticket = p.pace.begin()
	}
}

// playAlone plays what was unlike its recording once more, with nothing beside it. No scenario is
// begun after half of the time that the other plays took.
func (p *players) playAlone(ctx context.Context, chosen []scenario.Scenario) {
	if !p.until.IsZero() {
		p.until = time.Now().Add(p.options.length / 2)
	}
	for _, s := range chosen {
		if p.verdicts[s.ID] != unlike {
			continue
		}
		p.verdicts[s.ID] = disturbed
		if !p.over(ctx) {
			p.alone(ctx, s)
		}
	}
}

// alone plays a scenario until it is like its recording, or unlike it for the second time.
func (p *players) alone(ctx context.Context, s scenario.Scenario) {
	differed := false
	for try := tries; try < 2*tries && ctx.Err() == nil; try++ {
		switch p.play(ctx, s, try) {
		case recorded, "":
			return
		case unlike:
			if differed {
				return
			}
			differed = true
			p.verdicts[s.ID] = disturbed // once is no proof
		}
	}
}

func (p *players) over(ctx context.Context) bool {
	return ctx.Err() != nil || !p.until.IsZero() && time.Now().After(p.until)
}

// play plays a scenario once and keeps what it tells; nothing if it could not be played. What was
// unlike its recording stays so until it is like it.
func (p *players) play(ctx context.Context, s scenario.Scenario, try int) verdict {
	v, err := p.once(ctx, s, fmt.Sprintf("%s-%d", strings.ToLower(s.ID), try))
	slog.Info("Played", "scenario", s.ID, "try", try, "verdict", v, "error", err)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		p.errs = append(p.errs, err)
		delete(p.verdicts, s.ID)
		return ""
	}
	if v != disturbed || p.verdicts[s.ID] != unlike {
		p.verdicts[s.ID] = v
	}
	return v
}

// playOnce plays a scenario on a cluster, and judges or records what was seen.
func playOnce(ctx context.Context, c *cluster.Cluster, o options, s scenario.Scenario, namespace string) (verdict, error) {
	t, err := stage.Play(ctx, c, s, namespace, c.Ledgers())
	if errors.Is(err, stage.ErrStarts) && o.like != "" {
		return unlike, nil // in the recording they did
	}
	if err != nil {
		return "", err
	}
	v, err := judge(t, o.like)
	if err == nil && v == recorded && o.like == "" {
		err = recording.Write(filepath.Join(o.out, s.ID+".json"), t)
	}
	return v, err
}
