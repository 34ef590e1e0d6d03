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
	cluster *cluster.Cluster
	options options
	pace    *pace
	until   time.Time // zero: for ever

	mu       sync.Mutex // guards verdicts and errs
	verdicts map[string]verdict
	errs     []error
}

func playScenarios(ctx context.Context, c *cluster.Cluster, o options) error {
	chosen, err := scenario.Choose(o.ids)
	if err != nil {
		return err
	}
	p := &players{cluster: c, options: o, pace: newPace(o.parallel), verdicts: map[string]verdict{}}
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
		playing.Go(func() {
			for try := range tries {
				v := p.play(ctx, s, try)
				p.pace.end(ticket, v == disturbed || v == unlike)
				if v == recorded || v == "" || try == tries-1 || p.over(ctx) {
					return
				}
				ticket = p.pace.begin()
			}
		})
	}
	playing.Wait()
}

// playAlone plays what was unlike its recording once more, with nothing beside it, for at most half
// as long as the other plays took.
func (p *players) playAlone(ctx context.Context, chosen []scenario.Scenario) {
	if !p.until.IsZero() {
		p.until = time.Now().Add(p.options.length / 2)
	}
	for _, s := range chosen {
		if p.verdicts[s.ID] != unlike {
			continue
		}
		p.verdicts[s.ID] = disturbed // if there is no time
		for try := tries; try < 2*tries && !p.over(ctx); try++ {
			if v := p.play(ctx, s, try); v == recorded || v == "" {
				break
			}
		}
	}
}

func (p *players) over(ctx context.Context) bool {
	return ctx.Err() != nil || !p.until.IsZero() && time.Now().After(p.until)
}

// play plays a scenario once and keeps what it tells; nothing if it could not be played.
func (p *players) play(ctx context.Context, s scenario.Scenario, try int) verdict {
	v, err := p.judged(ctx, s, fmt.Sprintf("%s-%d", strings.ToLower(s.ID), try))
	slog.Info("Played", "scenario", s.ID, "try", try, "verdict", v, "error", err)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		p.errs = append(p.errs, err)
		delete(p.verdicts, s.ID)
		return ""
	}
	p.verdicts[s.ID] = v
	return v
}

func (p *players) judged(ctx context.Context, s scenario.Scenario, namespace string) (verdict, error) {
	t, err := stage.Play(ctx, p.cluster, s, namespace, p.cluster.Ledgers())
	if errors.Is(err, stage.ErrStarts) && p.options.like != "" {
		return unlike, nil // in the recording they did
	}
	if err != nil {
		return "", err
	}
	v, err := judge(t, p.options.like)
	if err == nil && v == recorded && p.options.like == "" {
		err = recording.Write(filepath.Join(p.options.out, s.ID+".json"), t)
	}
	return v, err
}
