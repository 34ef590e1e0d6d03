// Package render shows what came of a drill: as text and as JSON.
package render
