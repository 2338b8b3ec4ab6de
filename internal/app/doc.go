// Package app builds the program by hand, top to bottom: it opens the stores,
// makes every service, registers routes, subscribers and jobs, starts them in
// order and stops them in reverse. It also composes the few answers that span
// domains: overview, people behind a number, search, system status, backup.
package app
