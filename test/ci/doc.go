// Package ci plays what CI systems do with Probity, as they do it: the steps of action.yml on a
// checkout, with GitHub's files and rules; the hooks of .pre-commit-hooks.yaml by pre-commit
// itself; the jobs that docs/how-to/check-in-ci.md shows for GitHub, GitLab and Jenkins.
//
//	GOWORK=off go -C test/ci test ./...
//
// It is a module of its own, outside the workspace, for actionlint, which reads GitHub's
// expressions and workflows. Nothing is fetched: Go and the modules have to be there, and what is
// uploaded ends here.
package ci
