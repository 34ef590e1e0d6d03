// Package credentials makes and keeps what the API of a run and its clients know each other by. It
// lies in the state folder, each file with mode 0600:
//
//	ca.crt, ca.key   a certificate authority of this folder alone, for 10 years. It can only sign
//	                 for loopback, localhost and the address that was given for the API
//	token            what a client shows: 32 random bytes, kept from run to run
//	kubeconfig       for kubectl: the address, ca.crt and the token
//	api-port         the port of the last run, so that the next one can be found at the same
//
// The certificate that the API shows, and its key, are in memory only. Each start makes others, and
// so does a run that lasts until they are about to expire, so clients that have ca.crt need nothing
// new.
//
// Who can read the folder is the user of the API: [Open] refuses files that others could have read
// or made. Nothing here is ever logged.
package credentials
