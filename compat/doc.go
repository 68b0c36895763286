// Package compat is an HTTP server that speaks the first version of the Installatron Automation API: it turns requests into custom resources, acting as
// whoever sends them, and answers from those resources' conditions. It touches nothing else, and stores nothing.
//
// Commands is the one table of what it knows: decoding, validation and the documentation come from it. A command's handler only turns typed arguments into
// custom resources, or custom resources into tables.
package compat
