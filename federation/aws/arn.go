package aws

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// RoleARN is the ARN of an IAM role, in parts.
type RoleARN struct {
	Partition string // "aws", "aws-cn", "aws-us-gov"; "minio" is not AWS's
	Account   string // twelve digits; may be empty outside AWS
	Path      string // "/" or "/team/"
	Name      string
}

// Patterns of what an administrator sets, for the chart's schema too.
const (
	PartitionPattern = `^[a-z][a-z0-9-]{0,31}$`
	AccountPattern   = `^[0-9]{12}$`
	RegionPattern    = `^[a-z]{2,8}(-[a-z]{1,16}){1,3}-[0-9]{1,2}$`
)

// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
var (
	partitionPattern = regexp.MustCompile(PartitionPattern)
	accountPattern   = regexp.MustCompile(AccountPattern)
	rolePattern      = regexp.MustCompile(`^[\w+=,.@-]{1,64}$`)
	pathPattern      = regexp.MustCompile(`^/(?:[!-.0-~]+/)*$`)
	regionPattern    = regexp.MustCompile(RegionPattern)
	sessionPattern   = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)
	externalPattern  = regexp.MustCompile(`^[\w+=,.@:/-]+$`)
)

// ParseRoleARN takes a role's ARN apart. Its error says which part is wrong, and
// shows no more of it than fits a message.
func ParseRoleARN(s string) (RoleARN, error) {
	parts := strings.SplitN(s, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" {
		return RoleARN{}, errors.New("not a role ARN: want arn:aws:iam::<account>:role/<name>")
	}
	a := RoleARN{Partition: parts[1], Account: parts[4]}
	resource, ok := strings.CutPrefix(parts[5], "role/")
	if !ok {
		return RoleARN{}, errors.New("not the ARN of a role: want arn:<partition>:iam::<account>:role/<name>")
	}
	i := strings.LastIndexByte(resource, '/') + 1
	a.Path, a.Name = "/"+resource[:i], resource[i:]
	switch {
	case !ValidPartition(a.Partition):
		return RoleARN{}, fmt.Errorf("not a role ARN: partition %.40q", a.Partition)
	case parts[2] != "iam" || parts[3] != "":
		return RoleARN{}, fmt.Errorf("not a role ARN: want arn:%s:iam:: before the account", a.Partition)
	case !ValidAccount(a.Account) && (a.Account != "" || IsAWSPartition(a.Partition)):
		return RoleARN{}, errors.New("not a role ARN: the account must have twelve digits")
	case !rolePattern.MatchString(a.Name):
		return RoleARN{}, fmt.Errorf("not a role ARN: role name %.80q: want 1..64 of letters, digits and _+=,.@-", a.Name)
	case !pathPattern.MatchString(a.Path) || len(a.Path) > 512:
		return RoleARN{}, fmt.Errorf("not a role ARN: path %.80q", a.Path)
	}
	return a, nil
}

// String gives the ARN.
func (a RoleARN) String() string {
	return "arn:" + a.Partition + ":iam::" + a.Account + ":role" + a.Path + a.Name
}

// AccountOf is the account in a role's ARN that was parsed before: it is looked at for
// each request.
func AccountOf(roleARN string) string {
	for range 4 {
		_, roleARN, _ = strings.Cut(roleARN, ":")
	}
	account, _, _ := strings.Cut(roleARN, ":")
	return account
}

// NameOf is the role's name in such an ARN.
func NameOf(roleARN string) string { return roleARN[strings.LastIndexByte(roleARN, '/')+1:] }

// ValidPartition reports whether s has the form of a partition's name, AWS's or not.
func ValidPartition(s string) bool { return partitionPattern.MatchString(s) }

// ValidAccount reports whether s has the form of an account's ID.
func ValidAccount(s string) bool { return accountPattern.MatchString(s) }

// ValidRegion reports whether s has the form of a region: "eu-central-1".
func ValidRegion(s string) bool { return regionPattern.MatchString(s) }

// ValidSessionName reports whether s can be a RoleSessionName.
func ValidSessionName(s string) bool { return sessionPattern.MatchString(s) }

// ValidExternalID reports whether s can be an ExternalId.
func ValidExternalID(s string) bool {
	return len(s) >= 2 && len(s) <= 1224 && externalPattern.MatchString(s)
}

// Limits of STS, in seconds and characters.
const (
	MinSessionDuration        = 900
	MaxSessionDuration        = 43200
	MaxChainedSessionDuration = 3600
	MaxSessionPolicy          = 2048
)
