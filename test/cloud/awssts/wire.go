package awssts

import "encoding/xml"

type credentials struct {
	AccessKeyID     string `xml:"AccessKeyId"`
	SecretAccessKey string `xml:"SecretAccessKey"`
	SessionToken    string `xml:"SessionToken"`
	Expiration      string `xml:"Expiration"`
}

type assumedRoleUser struct {
	ID  string `xml:"AssumedRoleId"`
	ARN string `xml:"Arn"`
}

type webIdentityResponse struct {
	XMLName xml.Name          `xml:"AssumeRoleWithWebIdentityResponse"`
	NS      string            `xml:"xmlns,attr"`
	Result  webIdentityResult `xml:"AssumeRoleWithWebIdentityResult"`
}

type webIdentityResult struct {
	Credentials credentials     `xml:"Credentials"`
	User        assumedRoleUser `xml:"AssumedRoleUser"`
	Subject     string          `xml:"SubjectFromWebIdentityToken"`
	Audience    string          `xml:"Audience"`
	Provider    string          `xml:"Provider"`
}

type assumeRoleResponse struct {
	XMLName xml.Name         `xml:"AssumeRoleResponse"`
	NS      string           `xml:"xmlns,attr"`
	Result  assumeRoleResult `xml:"AssumeRoleResult"`
}

type assumeRoleResult struct {
	Credentials credentials     `xml:"Credentials"`
	User        assumedRoleUser `xml:"AssumedRoleUser"`
}

type callerIdentityResponse struct {
	XMLName xml.Name             `xml:"GetCallerIdentityResponse"`
	NS      string               `xml:"xmlns,attr"`
	Result  callerIdentityResult `xml:"GetCallerIdentityResult"`
}

type callerIdentityResult struct {
	ARN     string `xml:"Arn"`
	UserID  string `xml:"UserId"`
	Account string `xml:"Account"`
}
