// Package auth answers: who is calling, and may they? It holds the principal
// in the context, the list of permissions, and the hashing of passwords and
// tokens. Who exists and which role they have is package team's.
package auth
