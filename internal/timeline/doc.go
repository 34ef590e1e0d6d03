// Package timeline draws what happened to Pods on one time axis, or says it in words: what was
// simulated and what was seen, in a picture that stands for itself and in a part of a page.
//
//   - [Picture]: groups of lanes; what stands in them are spans of a state, attempts of a probe,
//     and cuts, where a container was started again. Grounds lie below all lanes: faults.
//   - [Layout]: the measures. [Page] is for a part of a page of some width.
//   - [Draw]: the elements of an SVG. Their form is in attributes and their colour in classes, so
//     that the page's stylesheet, or one that the picture brings along, decides how it looks.
//   - [Picture.Sentence] and [Picture.Rows] are the same for who does not see it.
//
// Marks of attempts have the forms of a page's strips: what differs in colour differs in form too.
// It is pure: no clock, no goroutine.
package timeline
