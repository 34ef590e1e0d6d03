module github.com/probity-run/probity/test/browser

go 1.26

require github.com/chromedp/chromedp v0.23.0
