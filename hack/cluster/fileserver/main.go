// Command fileserver serves one folder over HTTP, read-only: the local stand-in
// for the places that applications' release archives are downloaded from.
package main

import (
	"log"
	"net/http"
	"os"
	"time"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: fileserver ADDRESS FOLDER")
	}
	server := &http.Server{
		Addr:              os.Args[1],
		Handler:           http.FileServer(http.Dir(os.Args[2])),
		ReadHeaderTimeout: 10 * time.Second,
	}
	log.Fatal(server.ListenAndServe())
}
