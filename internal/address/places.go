package address

import (
	"maps"
	"slices"
)

// Places are the places of a block that are taken, by the name of who has them, such as
// "default/web". The zero value has none; it belongs to one goroutine.
type Places struct {
	byName map[string]int
	taken  map[int]string
}

// NewPlaces takes places that were given away before, as another run of the same manifests noted
// them. What is out of the block, or is there twice, is left out.
func NewPlaces(before map[string]int) *Places {
	p := &Places{}
	for _, name := range slices.Sorted(maps.Keys(before)) {
		place := before[name]
		if _, taken := p.taken[place]; !taken && place >= 0 && place < Usable {
			p.put(name, place)
		}
	}
	return p
}

// Take is the place of a name: the one that it has, else the first free one from where its hash
// says. ok is false if none is free.
func (p *Places) Take(name string) (place int, ok bool) {
	if place, ok = p.byName[name]; ok {
		return place, true
	}
	first := int(hash(name) % Usable)
	for i := range Usable {
		place = (first + i) % Usable
		if _, taken := p.taken[place]; !taken {
			p.put(name, place)
			return place, true
		}
	}
	return 0, false
}

// TakeAll gives each name its place, in the order of the names, so that the same names get the same
// places, however they came.
func (p *Places) TakeAll(names []string) {
	for _, name := range slices.Sorted(slices.Values(names)) {
		p.Take(name)
	}
}

// Release gives a place back. The name need not have one.
func (p *Places) Release(name string) {
	if place, ok := p.byName[name]; ok {
		delete(p.byName, name)
		delete(p.taken, place)
	}
}

// Count is how many places are taken.
func (p *Places) Count() int { return len(p.byName) }

// All are the places by name, to be noted.
func (p *Places) All() map[string]int { return maps.Clone(p.byName) }

func (p *Places) put(name string, place int) {
	if p.byName == nil {
		p.byName, p.taken = map[string]int{}, map[int]string{}
	}
	p.byName[name], p.taken[place] = place, name
}
