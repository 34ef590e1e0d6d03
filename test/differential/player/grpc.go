package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/probity-run/probity/test/differential/ledger"
	"github.com/probity-run/probity/test/healthserver"
)

// check answers health checks by a script of: a serving status by its name, "hang", or a code by
// its name.
func (s *service) check(r *http.Request, service string) (healthserver.Serving, error) {
	step := s.recorder.nextStep(ledger.Request, "grpc", s.health)
	if s.shape {
		s.recorder.mustRecord(ledger.Shape, "grpc", "service="+service+" user-agent="+strings.Join(r.Header["User-Agent"], "+"))
	}
	servings := map[string]healthserver.Serving{
		"SERVING": healthserver.OK, "NOT_SERVING": healthserver.NotServing, "UNKNOWN": healthserver.Unknown, "SERVICE_UNKNOWN": healthserver.ServiceUnknown,
	}
	codes := map[string]int{
		"NOT_FOUND": healthserver.CodeNotFound, "PERMISSION_DENIED": healthserver.CodePermissionDenied,
		"INTERNAL": healthserver.CodeInternal, "UNAVAILABLE": healthserver.CodeUnavailable,
	}
	if step == "hang" {
		<-r.Context().Done()
		return 0, r.Context().Err()
	}
	if serving, ok := servings[step]; ok {
		return serving, nil
	}
	code, ok := codes[step]
	if !ok {
		return 0, fmt.Errorf("cannot answer %q", step)
	}
	return 0, &healthserver.Status{Code: code, Message: "as the script says"}
}

// serveGRPC serves health, or nothing if the script says NONE.
func (s *service) serveGRPC(listener net.Listener) error {
	check := s.check
	if s.health == "NONE" {
		check = nil
	}
	server := healthserver.New(check)
	if !s.grpcTLS {
		return server.Serve(listener)
	}
	certificate, err := expired()
	if err != nil {
		return err
	}
	server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}}
	return server.ServeTLS(listener, "", "")
}
