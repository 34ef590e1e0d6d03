package health

import (
	"strconv"
	"strings"
)

// format is how an answer is written.
type format int

const (
	formatText format = iota
	formatJSON
	formatHealthJSON // draft-inadarei-api-health-check
)

// mediaTypes are the types of the formats.
func (f format) mediaType() string {
	return [3]string{"text/plain", "application/json", "application/health+json"}[f]
}

// accepted returns the format that a request prefers, by its Accept headers (RFC 9110, section
// 12.5.1): the one with the highest q; JSON only if it is asked for by more than */*, and then also
// if text has the same q.
func accepted(headers []string) format {
	best, bestRank := formatText, rank(headers, formatText)
	for _, f := range []format{formatJSON, formatHealthJSON} {
		r := rank(headers, f)
		if r.specific > 1 && r.q > 0 && r.q >= bestRank.q && (best == formatText || r.q > bestRank.q || r.specific >= bestRank.specific && r.specific == 3) {
			best, bestRank = f, r
		}
	}
	return best
}

// mediaRank is how much a request wants a media type.
type mediaRank struct {
	specific int // 0: not named, 1: by */*, 2: by application/*, 3: by its name
	q        float64
}

// rank returns the q of the most specific range that has a format.
func rank(headers []string, f format) (best mediaRank) {
	for _, header := range headers {
		for element := range strings.SplitSeq(header, ",") {
			if r := rankOf(element, f); r.specific > best.specific {
				best = r
			}
		}
	}
	return best
}

// rankOf reads one element, such as "application/json;q=0.8". One that cannot be read counts as
// absent.
func rankOf(element string, f format) mediaRank {
	mediaType, parameters, _ := strings.Cut(element, ";")
	mediaType = strings.TrimSpace(mediaType)
	kind, _, _ := strings.Cut(f.mediaType(), "/")
	r := mediaRank{q: 1}
	switch {
	case strings.EqualFold(mediaType, f.mediaType()):
		r.specific = 3
	case mediaType == "*/*":
		r.specific = 1
	case len(mediaType) == len(kind)+2 && strings.EqualFold(mediaType[:len(kind)], kind) && strings.HasSuffix(mediaType, "/*"):
		r.specific = 2
	default:
		return mediaRank{}
	}
	for parameter := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		if !strings.EqualFold(name, "q") {
			continue
		}
		q, err := strconv.ParseFloat(value, 64)
		if err != nil || !(q >= 0 && q <= 1) {
			return mediaRank{}
		}
		r.q = q
	}
	return r
}
