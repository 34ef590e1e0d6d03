package compose

import (
	"regexp"
	"slices"
	"strconv"
)

// infer adds the ports that other services use. A container of Docker is reached at any port, and
// few files say which ones are used; but those who use them say it, as in postgres://db:5432/shop.
func (l *loader) infer(p *Project) {
	for _, s := range p.Services {
		asked := regexp.MustCompile(`(?:^|[/@,=\s"'])` + regexp.QuoteMeta(s.Name) + `:([0-9]{2,5})\b`)
		for _, other := range p.Services {
			if other == s {
				continue
			}
			for _, text := range other.texts() {
				for _, found := range asked.FindAllStringSubmatch(text, -1) {
					if n, err := strconv.Atoi(found[1]); err == nil && n > 0 && n < 65536 && !slices.ContainsFunc(targets(s), func(p Port) bool { return p.Target == n }) {
						s.Expose = append(s.Expose, Port{Target: n, Protocol: "tcp", At: s.At})
					}
				}
			}
		}
	}
	for _, s := range p.Services {
		for _, dep := range s.DependsOn {
			i := slices.IndexFunc(p.Services, func(o *Service) bool { return o.Name == dep.Service })
			if on := p.Services[i]; len(targets(on)) == 0 && dep.Condition != "service_completed_successfully" {
				l.noteMissing(dep.At, Path{s.Name, "depends_on"}, "%s says no port, so nobody reaches it by its name: write expose: [PORT] there", on.Name)
			}
		}
	}
}

// texts are those in which a service may name another one.
func (s *Service) texts() []string {
	texts := s.words()
	for _, v := range s.Environment {
		texts = append(texts, v.Value)
	}
	return texts
}
