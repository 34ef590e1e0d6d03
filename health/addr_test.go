package health

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// freeAddr returns an address at which a test can listen, whenever it wants: the kernel gives a
// number of this range to nobody who did not ask for it, and no other test gets it, as the UDP port
// of the number is held for as long as this one lasts.
func freeAddr(t *testing.T) string {
	t.Helper()
	for range 200 {
		addr := fmt.Sprintf("127.0.0.1:%d", 10000+rand.IntN(20000))
		lock, err := net.ListenPacket("udp4", addr)
		if err != nil {
			continue
		}
		t.Cleanup(func() { lock.Close() })
		if listener, err := net.Listen("tcp", addr); err == nil {
			listener.Close()
			return addr
		}
	}
	t.Fatal("no port is free")
	return ""
}
