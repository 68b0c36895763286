// Package wire is the Installatron Automation API as bytes: how requests arrive, and what replies look like. It knows neither Kubernetes nor
// any command.
//
// Its sources are the published reference of the API's first version, and what public clients of it were seen to send.
package wire
