// Package address is pure: which addresses of 127.0.0.0/8 a run gives to its Services and Pods.
//
// A run has blocks of 4096 addresses. The first one that it asks for follows from its state folder,
// so that a run has the same addresses each time; what else is in the block is spread by names, so
// that one more Service moves none.
package address

import (
	"hash/fnv"
	"net/netip"
)

// Blocks is how many blocks there are: 127.64.0.0/20, 127.64.16.0/20 … 127.127.240.0/20. Below are
// addresses that others use: 127.0.0.53 and 127.0.0.54 (systemd-resolved), 127.0.1.1 (Debian),
// 127.0.0.11 (Docker).
const Blocks = 1024

// Usable is how many addresses of a block are given away: all but its first and its last one.
const Usable = 4094

// Block is the number of a block, from 0 to Blocks-1.
type Block int

// BlockOf is the block that a run asks for first, by the absolute path of its state folder.
func BlockOf(stateDir string) Block { return Block(hash(stateDir) % Blocks) }

// Next is the block that is asked for if this one is taken.
func (b Block) Next() Block { return (b + 1) % Blocks }

// At is the address of a place in the block, from 0 to Usable-1.
func (b Block) At(place int) netip.Addr {
	in := place + 1
	return netip.AddrFrom4([4]byte{127, byte(64 + b>>4), byte(int(b&0xf)<<4 | in>>8), byte(in)})
}

// Contains reports whether an address is of the block.
func (b Block) Contains(a netip.Addr) bool {
	return netip.PrefixFrom(b.At(0), 20).Contains(a)
}

// hash spreads names, FNV-1a, 32 bits.
func hash(name string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name)) // never fails
	return h.Sum32()
}
