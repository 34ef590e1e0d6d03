// Package schemas holds the JSON schemas that editors get against what Probity itself takes and
// refuses: each script and each manifest of the repository validates, wrong ones do not. It writes
// docs/reference/schemas and docs/reference/annotations.md, too, which are made of the tables of
// the code.
package schemas

//go:generate go test -run TestReferenceIsCurrent . -update
