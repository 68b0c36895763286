// Package access tells who sends a request, and lets the rest of the program do what that caller may, and no more. The program has no power over tenants'
// objects of its own: it acts as the caller, by impersonation, so that Kubernetes' own access control decides.
package access
