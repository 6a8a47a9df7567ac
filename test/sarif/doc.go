// Package sarif holds what podpass prints by -o sarif against the JSON schema of SARIF
// 2.1.0. The schema is the one that go-sarif carries, word for word OASIS's, and the module
// is of its own since neither it nor a validator is needed elsewhere.
package sarif
