package workload

// BindResult is what came of the attempt to listen at a Service's address and port.
type BindResult int

const (
	// BindUntried: nobody has tried.
	BindUntried BindResult = iota
	// BindInUse: another program has the port, at this address or at every one.
	BindInUse
	// BindDenied: the port is for root only.
	BindDenied
)

// PortView is what is known of a Service port.
type PortView struct {
	// Claim is what the Pods of the run do with its number.
	Claim PortClaim
	// Shared: the Service has no address of its own, but that of everybody.
	Shared bool
	// Straight: the Pod of the claim is the only one behind the port, and the number is its target.
	Straight bool
	// Bind is what came of listening there.
	Bind BindResult
}

// PortDecision is how a Service port is served.
type PortDecision int

const (
	// PortOpen: Probity listens at the declared number.
	PortOpen PortDecision = iota
	// PortWait: nobody listens yet, as that would keep a program from starting that may need the
	// number. Clients are refused, as by a Service without endpoints.
	PortWait
	// PortStraight: the Pod itself answers at the Service's address. Nobody stands between.
	PortStraight
	// PortElsewhere: Probity listens at another number. The declared one leads to somebody else.
	PortElsewhere
	// PortUnprivileged: Probity listens at another number. Nobody answers at the declared one.
	PortUnprivileged
)

// DecideServicePort decides how a Service port is served. On Linux a socket at one address and one
// at every address exclude each other, whoever comes first; two sockets at different addresses
// never do. So only a program that may listen at every address has to be waited for, and no longer
// than its turn is.
//
// At an address that everybody shares, nothing is waited for: who may need the number gets it, and
// the Service another one.
func DecideServicePort(v PortView) PortDecision {
	switch {
	case v.Shared && v.Claim.Use != PortFree:
		return PortElsewhere
	case v.Claim.Use == PortUnseen:
		return PortWait
	case v.Claim.Use == PortEverywhere && v.Straight:
		return PortStraight
	case v.Claim.Use == PortEverywhere || v.Bind == BindInUse:
		return PortElsewhere
	case v.Bind == BindDenied:
		return PortUnprivileged
	}
	return PortOpen
}
