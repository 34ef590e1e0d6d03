module github.com/probity-run/probity/health

go 1.25.0
