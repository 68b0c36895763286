// Package recipe describes what an application needs said about it so that Sitewright can install, back up, move and
// upgrade it without knowing its name: the layout of its files, its configuration, its own programs and the rows of its
// tables that carry a URL or a table prefix.
//
// The types are plain data without Kubernetes imports. An Application embeds a Recipe, a plan carries one to the agent,
// and both mean the same document.
//
// +kubebuilder:object:generate=true
package recipe
