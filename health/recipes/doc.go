// Package recipes is what the README of health says of routers and of clients, as code that is
// compiled and tested. It is to be copied from, not imported: its module requires them all.
package recipes
