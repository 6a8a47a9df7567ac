package rotate

import (
	"path"
	"strings"
)

// Files are the keys' files as the API server sees them, on the control plane.
type Files struct {
	OldPublic  string `json:"oldPublic"`
	OldPrivate string `json:"oldPrivate"`
	NewPublic  string `json:"newPublic"`
	NewPrivate string `json:"newPrivate"`
}

// FilesIn are the files of keys named old and fresh in a directory, as kubeadm names them:
// sa.pub and sa.key.
func FilesIn(dir, old, fresh string) Files {
	file := func(name, extension string) string { return path.Join(dir, name+extension) }
	return Files{file(old, ".pub"), file(old, ".key"), file(fresh, ".pub"), file(fresh, ".key")}
}

// ServerFlags are what each API server has to be started with while the rotation is in a
// phase; the issuer first, since tokens name the first.
func (s State) ServerFlags() []string {
	f := s.Files
	flags := []string{
		"--service-account-issuer=" + s.Issuer,
		"--service-account-jwks-uri=" + strings.TrimSuffix(s.Issuer, "/") + s.JWKSPath,
	}
	both := []string{"--service-account-key-file=" + f.OldPublic, "--service-account-key-file=" + f.NewPublic}
	switch s.Phase {
	case Publish, Caches:
		return append(append(flags, both...), "--service-account-signing-key-file="+f.OldPrivate)
	case Done:
		return append(flags, "--service-account-key-file="+f.NewPublic, "--service-account-signing-key-file="+f.NewPrivate)
	default:
		return append(append(flags, both...), "--service-account-signing-key-file="+f.NewPrivate)
	}
}

// ManagerFlags are the controller manager's, which signs the tokens of Secrets.
func (s State) ManagerFlags() []string {
	if s.Phase == Publish || s.Phase == Caches {
		return []string{"--service-account-private-key-file=" + s.Files.OldPrivate}
	}
	return []string{"--service-account-private-key-file=" + s.Files.NewPrivate}
}

// Why says what a phase is for, in one sentence.
func (p Phase) Why() string {
	return map[Phase]string{
		Publish: "the new key is published beside the old one",
		Caches:  "until every verifier has the new key",
		Switch:  "the API servers sign with the new key",
		Tokens:  "until the last token of the old key has ended",
		Drop:    "the old key goes from what is published",
		Done:    "the old key is gone",
	}[p]
}
