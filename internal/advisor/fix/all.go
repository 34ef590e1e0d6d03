package fix

import (
	"errors"
	"fmt"
	"slices"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/manifest"
)

// maxRounds bounds how often what patches leave is judged and patched again. A patch makes one
// other necessary, hardly ever two.
const maxRounds = 8

// A Judge finds what is wrong with manifests.
type Judge func(*advisor.Manifests) []advisor.Finding

// A Result is what All did.
type Result struct {
	// Manifests are those with the new texts, and Changed the names of the files whose text is new.
	Manifests *advisor.Manifests
	Changed   []string
	// Skipped are the findings whose patches were not applied.
	Skipped []Skipped
}

// All applies the patches of all findings in memory until the judge finds no more of them. A patch
// after which something is wrong that was not before, or is worse, is refused unless the patches
// that follow from it put it right.
func All(m *advisor.Manifests, judge Judge) Result {
	before := judge(m)
	all := attempt{judge: judge, wanted: func(advisor.Finding) bool { return true }}
	after, err := all.settle(m)
	worse := newIn(before, judge(after))
	if err == nil && len(worse) == 0 {
		return result(m, after, all.skipped)
	}
	for _, suspects := range []suspects{objectsOf(worse), filesOf(worse)} {
		others := attempt{judge: judge, wanted: func(f advisor.Finding) bool { return !suspects(f) }}
		from, err := others.settle(m)
		if err != nil || len(newIn(before, judge(from))) > 0 {
			continue // what is worse does not come from them alone
		}
		after, refused := oneByOne(from, judge, suspects)
		return result(m, after, append(others.skipped, refused...))
	}
	after, refused := oneByOne(m, judge, func(advisor.Finding) bool { return true })
	return result(m, after, refused)
}

// suspects report whether a patch may be what makes something worse.
type suspects func(advisor.Finding) bool

// objectsOf suspects the patches of the objects that findings are about: of a list of all that is
// in a cluster, a few.
func objectsOf(worse []advisor.Finding) suspects {
	type object struct {
		file string
		ref  manifest.Ref
	}
	list := map[object]bool{}
	for _, f := range worse {
		list[object{f.Region.File, f.Object}] = true
	}
	return func(f advisor.Finding) bool { return list[object{f.Region.File, f.Object}] }
}

// filesOf suspects all patches of their files.
func filesOf(worse []advisor.Finding) suspects {
	list := map[string]bool{}
	for _, f := range worse {
		list[f.Region.File] = true
	}
	return func(f advisor.Finding) bool { return list[f.Region.File] }
}

// oneByOne applies each suspect by itself, with those that follow from it.
func oneByOne(m *advisor.Manifests, judge Judge, suspects suspects) (*advisor.Manifests, []Skipped) {
	var skipped []Skipped
	tried := map[string]bool{}
	for {
		before := judge(m)
		i := slices.IndexFunc(before, func(f advisor.Finding) bool {
			return f.Patch != nil && !tried[f.Key()] && suspects(f)
		})
		if i < 0 {
			return m, skipped
		}
		f := before[i]
		tried[f.Key()] = true
		known := keys(before)
		a := attempt{judge: judge, wanted: func(g advisor.Finding) bool { return g.Key() == f.Key() || known[g.Key()] == 0 }}
		after, err := a.settle(m)
		worse := newIn(before, judge(after))
		switch {
		case err != nil:
			skipped = append(skipped, Skipped{f, err})
		case len(worse) > 0:
			skipped = append(skipped, Skipped{f, fmt.Errorf("it would lead to %s: %s", worse[0].Rule, worse[0].Message)})
		case len(a.skipped) > 0 && a.skipped[0].Finding.Key() == f.Key():
			skipped = append(skipped, a.skipped...)
		default:
			m = after
		}
	}
}

// attempt is one try to apply the patches of the wanted findings.
type attempt struct {
	judge   Judge
	wanted  func(advisor.Finding) bool
	skipped []Skipped
}

// settle applies patches until there are none left that can be applied.
func (a *attempt) settle(m *advisor.Manifests) (*advisor.Manifests, error) {
	impossible := map[string]bool{}
	for range maxRounds {
		refused := len(impossible)
		texts := map[string][]byte{}
		byFile := map[string][]advisor.Finding{}
		for _, f := range a.judge(m) {
			if f.Patch != nil && a.wanted(f) && !impossible[f.Key()] {
				file := f.ObjectPosition().File
				byFile[file] = append(byFile[file], f)
			}
		}
		for file, findings := range byFile {
			text, applied, skipped := Text(m.Text(file), findings)
			if len(applied) > 0 {
				texts[file] = text
			}
			for _, s := range skipped {
				if !errors.Is(s.Err, errLater) {
					impossible[s.Finding.Key()] = true
					a.skipped = append(a.skipped, s)
				}
			}
		}
		if len(texts) == 0 && len(impossible) == refused { // else another one may have waited for it
			return m, nil
		}
		next, err := m.With(texts)
		if err != nil {
			return m, err
		}
		m = next
	}
	return m, errors.New("its patch and others undo each other: change it by hand")
}

// newIn returns the findings of after that were not there before, or were less severe.
func newIn(before, after []advisor.Finding) []advisor.Finding {
	count, severity := keys(before), map[string]advisor.Severity{}
	for _, f := range before {
		severity[f.Key()] = max(severity[f.Key()], f.Severity)
	}
	var list []advisor.Finding
	for _, f := range after {
		count[f.Key()]--
		if count[f.Key()] < 0 || f.Severity > severity[f.Key()] {
			list = append(list, f)
		}
	}
	return list
}

// keys counts the findings of each key.
func keys(findings []advisor.Finding) map[string]int {
	count := map[string]int{}
	for _, f := range findings {
		count[f.Key()]++
	}
	return count
}

// result compares the texts before and after.
func result(before, after *advisor.Manifests, skipped []Skipped) Result {
	r := Result{Manifests: after, Skipped: skipped}
	for _, file := range before.FileNames() {
		if string(before.Text(file)) != string(after.Text(file)) {
			r.Changed = append(r.Changed, file)
		}
	}
	slices.SortFunc(r.Skipped, func(a, b Skipped) int { return advisor.Compare(a.Finding, b.Finding) })
	return r
}
