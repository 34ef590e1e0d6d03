package credentials

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/probity-run/probity/internal/ownfile"
)

const tokenBytes = 32

// openToken returns the token of a state folder, or a new one if there is none.
func openToken(folder *os.Root) (string, error) {
	data, err := ownfile.Read(folder, tokenName, ownfile.Private)
	if errors.Is(err, fs.ErrNotExist) {
		return makeToken(folder)
	}
	if err != nil {
		return "", err
	}
	token := strings.TrimSuffix(string(data), "\n") // of an editor
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) != tokenBytes || base64.RawURLEncoding.EncodeToString(raw) != token {
		return "", fmt.Errorf("%s is not one that Probity has made", filepath.Join(folder.Name(), tokenName))
	}
	return token, nil
}

// makeToken makes a token, in place of the one that was there. Its file has no newline: not
// everybody who reads it removes one.
func makeToken(folder *os.Root) (string, error) {
	raw := make([]byte, tokenBytes)
	rand.Read(raw) // never fails
	token := base64.RawURLEncoding.EncodeToString(raw)
	return token, ownfile.WriteDurable(folder, tokenName, []byte(token))
}

// IsToken reports whether a client has shown the token. How long it takes does not depend on how
// much of it is right.
func (c *Credentials) IsToken(shown string) bool {
	return subtle.ConstantTimeCompare([]byte(shown), []byte(c.token)) == 1
}
