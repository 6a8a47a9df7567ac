package statickeys

import (
	"encoding/base32"
	"encoding/binary"

	"github.com/podpass-io/podpass/federation/statickey"
)

// awsAccount is that of all AWS keys here.
const awsAccount = 111122223333

// awsKey is an access key of AWS.
type awsKey struct{ id, secret string }

func newAWSKey() awsKey { return awsKey{accessKeyID("AKIA", awsAccount), mixed64(30)} }

func (k awsKey) found() found {
	return found{cloud: "aws", kind: statickey.AWSAccessKey, id: k.id, secrets: []string{k.secret}}
}

// accessKeyID makes one of the account. Its 16 characters are base32 of 10 bytes; the first
// bit of those is set in all IDs that hold an account, the next 40 are the account.
// https://medium.com/@TalBeerySec/a-short-note-on-aws-key-id-f88cc4317489
func accessKeyID(prefix string, account uint64) string {
	b := random(10)
	head := make([]byte, 8)
	binary.BigEndian.PutUint64(head, 1<<47|account<<7|uint64(b[5]&0x7f))
	copy(b, head[2:])
	return prefix + base32.StdEncoding.EncodeToString(b)
}

// sessionToken of temporary credentials.
func sessionToken() string { return "IQoJb3JpZ2luX2Vj" + mixed64(600) }
