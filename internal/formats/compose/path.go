package compose

import "strconv"

// A Path is where something stands in a Compose file. A service has its name apart from what is in
// it, because there may be dots in both.
type Path struct {
	// Service is the name of the service that it is in, or "".
	Service string
	// Field is the way from there, or from the top of the file: "healthcheck.interval".
	Field string
}

// String is how a person writes it: "services.web.healthcheck.interval".
func (p Path) String() string {
	switch {
	case p.Service == "":
		return p.Field
	case p.Field == "":
		return "services." + p.Service
	}
	return "services." + p.Service + "." + p.Field
}

// field is the path of a field of what stands there.
func (p Path) field(key string) Path {
	switch {
	case p == Path{Field: "services"}:
		return Path{Service: key}
	case p.Field == "":
		return Path{p.Service, key}
	}
	return Path{p.Service, p.Field + "." + key}
}

// item is the path of an item of the list that stands there.
func (p Path) item(i int) Path {
	return Path{p.Service, p.Field + "[" + strconv.Itoa(i) + "]"}
}
