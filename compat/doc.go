// Package compat is the place of the HTTP shim that will speak the Installatron Automation API: it turns requests into custom resources
// and answers from their conditions, and touches nothing else. This version has none; the README says so.
package compat
