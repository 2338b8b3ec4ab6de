// Package wxcrypto answers: is a callback really from the platform, and what
// does it say? WeCom, official accounts and mini-programs sign and encrypt
// alike; official accounts may also call back in the open.
//
// A sealed callback is AES-256-CBC over
//
//	16 random bytes | length, 4 bytes big-endian | message | receiver
//
// padded as PKCS#7 to blocks of 32 bytes, and signed by the hex SHA-1 over
// token, timestamp, nonce and cipher text, sorted and joined. The receiver (the
// corp or app id) says whom it was meant for and is compared. The signature is
// always checked first: nothing unsigned is decrypted, so no answer of ours helps
// anybody guess at paddings.
//
// Whatever does not hold is refused with an [Error] that names the [Reason];
// nothing that a stranger sends makes this package panic or take much memory.
package wxcrypto
