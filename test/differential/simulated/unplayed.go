package simulated

// Unplayed are the scenarios that are not played, and why in a word, by their ids. A simulation
// begins where an attempt has an answer; what these are about happens before.
func Unplayed() map[string]string {
	const (
		redirects = "redirects that are followed"
		bytes     = "the bytes of HTTP"
		tls       = "TLS"
		request   = "what a request looks like"
		output    = "the size of an output"
		process   = "the process of an exec probe"
		grpc      = "gRPC beyond SERVING and NOT_SERVING"
	)
	unplayed := map[string]string{}
	for reason, ids := range map[string][]string{
		redirects: {"D07", "D12", "D16"},
		bytes:     {"D19", "D25", "D28"},
		tls:       {"D31", "D32", "D33", "D34", "D37", "H10"},
		request:   {"D40", "D41", "D42", "D43", "D44", "D45", "D46", "D48", "H01", "H12"},
		output:    {"G04", "G06"},
		process:   {"G08", "G10", "G11"},
		grpc:      {"H02", "H04", "H05", "H08", "H09"},
	} {
		for _, id := range ids {
			unplayed[id] = reason
		}
	}
	return unplayed
}
