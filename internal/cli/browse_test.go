package cli

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"
)

// browse is a browser for scripts: browse FILE PATH [FORM] asks the dashboard whose link is in a
// file, once that is there, and prints the text of what it answers.
func browse() {
	text, err := browsed(os.Args[1], os.Args[2], os.Args[3:])
	fmt.Println(text)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func browsed(file, path string, form []string) (string, error) {
	link, err := linkIn(file)
	if err != nil {
		return "", err
	}
	cookie, err := signedIn(file+".cookie", link)
	if err != nil {
		return "", err
	}
	method, body := http.MethodGet, ""
	if len(form) > 0 {
		method, body = http.MethodPost, form[0]
	}
	r, err := http.NewRequest(method, "http://"+link.Host+path, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	r.Header = http.Header{"Cookie": {cookie}, "Origin": {"http://" + link.Host}, "Sec-Fetch-Site": {"same-origin"}, "Content-Type": {"application/x-www-form-urlencoded"}}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	page = regexp.MustCompile(`(?s)<svg.*?</svg>`).ReplaceAll(page, nil)
	words := html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(string(page), " "))
	return response.Status + " " + strings.Join(strings.Fields(words), " "), err
}

// linkIn waits for a link in a file.
func linkIn(file string) (*url.URL, error) {
	for range 3000 {
		text, _ := os.ReadFile(file) // later
		if line, _, whole := bytes.Cut(text, []byte("\n")); whole {
			return url.Parse(string(line))
		}
		time.Sleep(10 * time.Millisecond)
	}
	return nil, fmt.Errorf("no link comes in %s", file)
}

// signedIn is the cookie for which the link was swapped, now or before.
func signedIn(file string, link *url.URL) (string, error) {
	if text, err := os.ReadFile(file); err == nil {
		return string(text), nil
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Get(link.String())
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	cookie, _, _ := strings.Cut(response.Header.Get("Set-Cookie"), ";")
	return cookie, os.WriteFile(file, []byte(cookie), 0o600)
}
