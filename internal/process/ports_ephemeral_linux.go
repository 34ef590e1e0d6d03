package process

import (
	"fmt"
	"os"
)

// ephemeralPorts is the range from which the kernel takes ports for outgoing connections.
func ephemeralPorts() (low, high int) {
	data, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err == nil {
		low, high, err = parsePortRange(string(data))
	}
	if err != nil {
		return 32768, 60999 // the kernel's default
	}
	return low, high
}

func parsePortRange(text string) (low, high int, err error) {
	if _, err := fmt.Sscan(text, &low, &high); err != nil {
		return 0, 0, err
	}
	if low < 1 || high > 65535 || low > high {
		return 0, 0, fmt.Errorf("malformed port range %q", text)
	}
	return low, high, nil
}
