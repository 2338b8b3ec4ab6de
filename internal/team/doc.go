// Package team answers: who works here, what may they do, and with which
// credential do they come? It keeps users, roles, sessions, API tokens, write
// keys and the company's settings, and it is the platform's Authenticator.
//
// Three rules hold everywhere. Nobody grants, or acts on someone who holds,
// permissions that they do not have themselves. There is always an active
// administrator. No secret is kept: passwords as argon2id, everything else as
// the SHA-256 of 256 random bits.
//
// What a credential opens is cached for cacheFor. A change made by this process
// counts at once; one made by another process (the command line beside the
// server, another node) counts after cacheFor at the latest. A credential made
// anywhere works at once, because a miss always asks the database.
package team
