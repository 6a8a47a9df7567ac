package serviceaccount

import (
	"github.com/podpass-io/podpass/federation/aws"
)

func (r *resolver) aws() {
	named := r.agreed(r.compose, KeyAWSRoleARN, KeyEKSRoleARN)
	if !named.set {
		r.withoutIdentity(cloudAWS)
		return
	}
	arn, ok := r.role(named)
	if !ok {
		return
	}
	id := aws.Identity{RoleARN: arn, Audience: r.in.AWS.Audience, Region: r.awsRegion(arn)}
	if v := r.lookup(KeyEKSAudience); v.set {
		id.Audience = v.text
	}
	r.boolean(r.lookup(KeyEKSRegionalSTS)) // only checked: podpass is always regional
	r.awsOptions(&id)
	r.awsOthers(&id)
	r.answer.AWS = &AWS{Identity: id, Chosen: r.awsChosen(id.Others), IMDS: r.boolean(r.lookup(KeyAWSIMDS)), Grant: Grant{
		Mode: r.mode(""), TokenExpiration: r.expiration(KeyEKSTokenExpiration, 600), Source: named.source(),
	}}
}

// awsRegion is that of the annotation, or of the installation. One STS knows only the
// roles of its own partition.
func (r *resolver) awsRegion(role string) string {
	if v := r.lookup(KeyAWSRegion); v.set {
		switch {
		case !aws.ValidRegion(v.text):
			r.fail(CodeAWSOption, v, "is not a region's name", "set it to the name of a region, for example eu-central-1")
		case !aws.RegionFits(v.text, role):
			r.fail(CodeAWSOption, v, "is not a region of the partition of "+role, "set it to a region of that partition, for example "+aws.DefaultRegion(role))
		}
		return v.text
	}
	region := r.in.AWS.Region
	if region == "" || aws.RegionFits(region, role) {
		return region
	}
	otherwise := aws.DefaultRegion(role)
	r.warn(CodeAWSOption, value{where: r.account, text: region, set: true}, "is the installation's region, and not one of the partition of "+role+"; "+otherwise+" is taken",
		"annotate the ServiceAccount with "+KeyAWSRegion)
	return otherwise
}
