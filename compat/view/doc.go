// Package view shows custom resources as the tables of the Automation API: pure functions of objects. The names of their columns are those of the reference, and
// of what public clients were seen to read.
package view
