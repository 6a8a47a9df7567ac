package aws

import (
	"cmp"
	"strings"
)

// partition is a part of AWS with accounts, regions and endpoints of its own.
type partition struct {
	region string // whose STS is asked when none is known
	prefix string // of its regions' names
}

// Source: https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html,
// and the SDK's own table.
var partitions = map[string]partition{
	"aws":        {"us-east-1", ""},
	"aws-cn":     {"cn-north-1", "cn-"},
	"aws-us-gov": {"us-gov-west-1", "us-gov-"},
	"aws-eusc":   {"eusc-de-east-1", "eusc-"},
	"aws-iso":    {"us-iso-east-1", "us-iso-"},
	"aws-iso-b":  {"us-isob-east-1", "us-isob-"},
	"aws-iso-e":  {"eu-isoe-west-1", "eu-isoe-"},
	"aws-iso-f":  {"us-isof-south-1", "us-isof-"},
}

// RegionPrefixes are how the names of a partition's regions begin, by partition.
func RegionPrefixes() map[string]string {
	prefixes := map[string]string{}
	for name, p := range partitions {
		prefixes[name] = p.prefix
	}
	return prefixes
}

// IsAWSPartition reports whether a partition is one of AWS's own, by its name: there
// may be newer ones than this table's.
func IsAWSPartition(name string) bool { return name == "aws" || strings.HasPrefix(name, "aws-") }

// PartitionOf gives the name of a role's partition; "" of what is not a role's ARN.
func PartitionOf(roleARN string) string {
	role, err := ParseRoleARN(roleARN)
	if err != nil {
		return ""
	}
	return role.Partition
}

// DefaultRegion is the region whose STS serves a role where no region is known.
// Outside of AWS it only signs: the endpoint is the administrator's.
func DefaultRegion(roleARN string) string {
	if p, ok := partitions[PartitionOf(roleARN)]; ok {
		return p.region
	}
	return partitions["aws"].region
}

// RegionFits reports whether a region belongs to the role's partition. In partitions
// that are not known regions are what somebody calls them.
func RegionFits(region, roleARN string) bool {
	name := PartitionOf(roleARN)
	if _, ok := partitions[name]; !ok {
		return true
	}
	for other, p := range partitions {
		if p.prefix != "" && strings.HasPrefix(region, p.prefix) {
			return other == name
		}
	}
	return name == "aws"
}

// region is where the identity's STS is, and what requests are signed for.
func (i Identity) region() string { return cmp.Or(i.Region, DefaultRegion(i.RoleARN)) }
