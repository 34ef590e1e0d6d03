module github.com/probity-run/probity/docs/site

go 1.26.0

require (
	github.com/evanw/esbuild v0.28.2
	github.com/probity-run/probity v0.0.0
	github.com/yuin/goldmark v1.8.7
)

require golang.org/x/sys v0.49.0 // indirect

replace github.com/probity-run/probity => ../..
