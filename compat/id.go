package compat

import (
	"encoding/binary"
	"encoding/hex"
	"math/bits"

	"k8s.io/apimachinery/pkg/types"
)

// idLength is the length of an id: so many digits to the base of 36 hold the 128 bits of a UID.
const idLength = 25

// ID is an object's id on the wire: its UID in base 36, which looks like the ids that clients know. So nothing has to be stored. Ids are in the order of UIDs.
func ID(uid types.UID) string {
	var text [32]byte
	n := 0
	for i := range len(uid) {
		if uid[i] == '-' {
			continue
		}
		if n == len(text) {
			return ""
		}
		text[n] = uid[i]
		n++
	}
	var number [16]byte
	if _, err := hex.Decode(number[:], text[:n]); err != nil || n != len(text) {
		return ""
	}
	high, low := binary.BigEndian.Uint64(number[:8]), binary.BigEndian.Uint64(number[8:])
	var digits [idLength]byte
	for i := idLength - 1; i >= 0; i-- {
		var digit, rest uint64
		high, rest = high/36, high%36
		low, digit = bits.Div64(rest, low, 36)
		digits[i] = "0123456789abcdefghijklmnopqrstuvwxyz"[digit]
	}
	return string(digits[:])
}
