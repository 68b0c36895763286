package repository

import "encoding/hex"

// UniqueID tells this repository from every other one: the id that Kopia gave it when it was made, in hexadecimal.
func (r *Repository) UniqueID() string { return hex.EncodeToString(r.direct.UniqueID()) }
