package proxy

import "testing"

func TestInFlightCountRefusesAfterFlag(t *testing.T) {
	var c inFlightCount
	if !c.add(flagWithdrawn|flagClosed) || !c.add(0) || c.count() != 2 {
		t.Fatal("refused without a flag")
	}
	c.setFlags(flagWithdrawn)
	if c.add(flagWithdrawn | flagClosed) {
		t.Error("counted although withdrawn")
	}
	if !c.add(flagClosed) || c.count() != 3 {
		t.Error("refused for a flag that was not meant")
	}
	c.clearFlags(flagWithdrawn)
	if !c.add(flagWithdrawn) {
		t.Error("refused for a flag that was taken back")
	}
}
