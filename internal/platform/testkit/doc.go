// Package testkit answers: on what ground does a test stand? It opens fresh
// databases on every engine, and gives loggers and principals. Only tests
// import it.
package testkit
