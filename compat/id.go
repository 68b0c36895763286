package compat

import (
	"encoding/hex"
	"math/big"
	"strings"

	"k8s.io/apimachinery/pkg/types"
)

// idLength is the length of an id: so many digits to the base of 36 hold the 128 bits of a UID.
const idLength = 25

// ID is an object's id on the wire: its UID in base 36, which looks like the ids that clients know. So nothing has to be stored.
func ID(uid types.UID) string {
	digits, err := hex.DecodeString(strings.ReplaceAll(string(uid), "-", ""))
	if err != nil {
		return ""
	}
	text := new(big.Int).SetBytes(digits).Text(36)
	return strings.Repeat("0", max(0, idLength-len(text))) + text
}
