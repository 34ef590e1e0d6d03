// Package render shows the report of a drill to machines and to people: as JUnit, and as a page.
//
//   - [JUnit] is a test case for each fault, for a CI system.
//   - [Page] is one file that stands for itself: no network, no script, both themes, at most
//     [PageLimit]. [Body] is what is in it, for a page that has a frame already.
//
// Names, messages and everything else that the report has of others stay text in both.
package render
