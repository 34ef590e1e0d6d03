package main

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/probity-run/probity/test/differential/ledger"
)

// serveTCP serves what "PORT:MODE" says.
func (s *service) serveTCP(text string) error {
	number, mode, _ := strings.Cut(text, ":")
	port, err := strconv.Atoi(number)
	if err != nil {
		return fmt.Errorf("cannot serve TCP %q: %w", text, err)
	}
	listener, err := listen(port)
	if err != nil {
		return err
	}
	if mode == "deaf" {
		return nil
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				s.fail(err)
			}
			go s.receive(conn, number, mode)
		}
	}()
	return nil
}

// receive treats a connection as the mode says. An open one is read to its end, and the ledger says
// whether anything came.
func (s *service) receive(conn net.Conn, port, mode string) {
	defer conn.Close()
	switch mode {
	case "reset":
		_ = conn.(*net.TCPConn).SetLinger(0)
	case "open":
		buffer := make([]byte, 1024)
		total := 0
		for {
			n, err := conn.Read(buffer)
			if total += n; err != nil {
				break
			}
		}
		mode = "open, nothing came"
		if total > 0 {
			mode = "open, something came"
		}
	}
	s.recorder.mustRecord(ledger.Request, "tcp "+port, mode)
}
