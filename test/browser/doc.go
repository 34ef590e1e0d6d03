// Package browser looks at the dashboard with a real browser: chromium-headless-shell, as Debian
// has it. It is a module of its own, as what drives the browser is needed nowhere else.
//
//	apt-get install --no-install-recommends \
//	  chromium-headless-shell fonts-dejavu-core fonts-liberation
//	GOWORK=off go test ./...
//
// Without a browser the tests are skipped, but not where CI is set. The rules of accessibility are
// axe-core's, which npm brings once into testdata by a checksum that is pinned here.
// PROBITY_PICTURES=FOLDER keeps a picture of each page in each width and theme.
package browser
