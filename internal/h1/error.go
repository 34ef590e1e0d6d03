package h1

import "net/http"

// Error says why a request is refused, or why an answer cannot be passed on.
type Error struct {
	// Status is what the client is told.
	Status int
	// Reason is for people.
	Reason string
}

func (e *Error) Error() string { return e.Reason }

// Why a request is refused.
var (
	errTwoFramings  = badRequest("the request has both Content-Length and Transfer-Encoding")
	errTwoLengths   = badRequest("the request has more than one Content-Length")
	errBadLength    = badRequest("the Content-Length is not a number")
	errTwoCodings   = badRequest("the request has more than one Transfer-Encoding")
	errHTTP10Coding = badRequest("HTTP/1.0 has no Transfer-Encoding")
	errFolded       = badRequest("a header field is folded over two lines")
	errBadField     = badRequest("a header field is malformed")
	errBadChunk     = badRequest("a chunk of the body is malformed")
	errBadTrailer   = badRequest("a trailer field is malformed, or is one that no trailer may be")
	errBadPreface   = badRequest("the preface of HTTP/2 is malformed")
	errBadLine      = badRequest("the request line is malformed")
	errBadTarget    = badRequest("the target of the request is malformed")
	errNoHost       = badRequest("the request has no Host")
	errTwoHosts     = badRequest("the request has more than one Host")
	errBadHost      = badRequest("the Host is malformed")
	errManyOptions  = badRequest("the field Connection has too many options")

	errCoding  = &Error{http.StatusNotImplemented, "the Transfer-Encoding is not chunked"}
	errVersion = &Error{http.StatusHTTPVersionNotSupported, "the version of HTTP is not 1.0 or 1.1"}
	errExpect  = &Error{http.StatusExpectationFailed, "the request expects something else than 100-continue"}
	errConnect = &Error{http.StatusNotImplemented, "CONNECT is for proxies that clients choose; this is a Service"}
)

// Why an answer cannot be passed on.
var (
	errBadStatusLine   = badGateway("the status line of the answer is malformed")
	errBadAnswerField  = badGateway("a header field of the answer is malformed")
	errAnswerLengths   = badGateway("the answer has Content-Lengths that contradict each other")
	errAnswerLength    = badGateway("the Content-Length of the answer is not a number")
	errAnswerCoding    = badGateway("the Transfer-Encoding of the answer is not chunked")
	errUnaskedSwitch   = badGateway("the answer changes to a protocol that the request did not ask for")
	errAnswerManyNames = badGateway("the field Connection of the answer has too many options")
)

func badRequest(reason string) *Error { return &Error{http.StatusBadRequest, reason} }

func badGateway(reason string) *Error { return &Error{http.StatusBadGateway, reason} }
