package health

import (
	"cmp"
	"fmt"
	"net/url"
	"strconv"
)

// maxExclude is how many checks a request may exclude: each is looked for among all.
const maxExclude = 100

// query is what a request asks for besides the plain answer.
type query struct {
	verbose bool
	exclude []string
}

// parseQuery reads ?verbose and ?exclude=NAME. It returns an error for what it cannot read;
// parameters of other names are ignored.
func parseQuery(raw string) (query, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return query{}, fmt.Errorf("cannot read the query: %w", err)
	}
	q := query{exclude: values["exclude"]}
	if len(q.exclude) > maxExclude {
		return query{}, fmt.Errorf("cannot exclude %d checks, exclude at most %d", len(q.exclude), maxExclude)
	}
	if word, ok := values["verbose"]; ok {
		if q.verbose, err = strconv.ParseBool(cmp.Or(word[0], "true")); err != nil {
			return query{}, fmt.Errorf("cannot read verbose=%q, use verbose or verbose=false", word[0])
		}
	}
	return q, nil
}
