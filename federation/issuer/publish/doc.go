// Package publish puts an issuer's two objects, the JWKS and the discovery document, where
// clouds read them: a folder of a web server, S3 or what speaks its protocol, Google Cloud
// Storage, Azure Blob Storage.
//
// Each object is replaced whole, the keys before the document that points to them, so that a
// reader meets no half of anything and no document whose keys are not there yet. Writes are
// conditional on what was read before, so that of two writers the later one is told, rather
// than the earlier one's keys lost. Keys that are published stay unless they are dropped by
// name. Nothing else is ever written, and nothing is deleted.
package publish
