// Package prometheus has a real Prometheus scrape a run, and Prometheus' own linter look at what
// Probity tells it and at the alerts and the dashboard in docs/prometheus:
//
//	go test -tags prometheus ./test/prometheus
//
// It takes prometheus and promtool; on Debian, apt-get install prometheus. Where they are missing
// the tests are skipped and say so.
package prometheus
