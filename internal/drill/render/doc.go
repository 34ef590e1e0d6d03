// Package render shows what came of a drill.
//
//   - [Text] is for a terminal, [JSON] for programs.
//   - [JUnit] is a test case for each fault, for a CI system.
//   - [Page] is one file that stands for itself: no network, no script, both themes, at most
//     [PageLimit].
//
// Names, messages and everything else that the report has of others stay text.
package render
