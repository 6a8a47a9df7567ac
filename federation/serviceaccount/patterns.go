package serviceaccount

import (
	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/azure"
	"github.com/podpass-io/podpass/federation/gcp"
)

const (
	boolean = `^(1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$`
	nothing = `^$|` // what other webhooks' users leave empty is not set

	arn      = `arn:[a-z][a-z0-9-]{0,31}:iam::([0-9]{12})?:role/`
	role     = `^(` + arn + `)?([!-.0-~]+/)*[A-Za-z0-9_+=,.@-]{1,64}$`
	listed   = `(` + arn + `)?([!-+\--.0-~]+/)*[A-Za-z0-9_+=.@-]{1,64}` // without commas
	roles    = `^` + listed + `(,` + listed + `){0,4}$`
	cpu      = `cpu=([1-9][0-9]{0,2}m|[1-7][0-9]{3}m|8000m|[1-8])`
	memory   = `memory=((1[6-9]|[2-9][0-9]|[1-9][0-9]{2}|[1-7][0-9]{3}|8192)Mi|(1[7-9]|[2-9][0-9]|[1-9][0-9]{2}|[1-7][0-9]{3})M|[1-8]Gi|[1-7]G)`
	resource = `(requests|limits)\.(` + cpu + `|` + memory + `)`
	life     = `^([6-9][0-9]{2}|[1-9][0-9]{3}|[1-7][0-9]{4}|8[0-5][0-9]{3}|86[0-3][0-9]{2}|86400)$` // 600..86400
	session  = `^(9[0-9]{2}|[1-9][0-9]{3}|[1-3][0-9]{4}|4[0-2][0-9]{3}|43[01][0-9]{2}|43200)$`      // 900..43200
	token    = `^([6-9][0-9]{2}|[1-9][0-9]{3}|[1-3][0-9]{4}|4[0-2][0-9]{3}|43[01][0-9]{2}|43200)$`  // 600..43200
	plain    = `([a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?)`
	audience = plain + `(=[!-+\--~]{1,200})?` // five of 256 are more than a regular expression of Go's may repeat
)

// inner is a pattern without its anchors.
func inner(pattern string) string { return `(` + pattern[1:len(pattern)-1] + `)` }

// AnnotationPatterns are what Resolve takes of the annotations of a ServiceAccount, by key;
// keys that are not there may have any value. The chart holds its mappings against them,
// where a bad value would be one in each pod of people who cannot mend it. They take no
// more than Resolve does, and a little less: no blanks around items.
func AnnotationPatterns() map[string]string {
	email := inner(gcp.EmailPattern)
	client := inner(azure.GUIDPattern) + `(@` + inner(azure.TenantPattern) + `)?`
	return map[string]string{
		KeyMode:                    `^(broker|direct)$`,
		KeyTokenExpiration:         life,
		KeyBrokerResources:         `^` + resource + `(,` + resource + `)*$`,
		KeyStrictStart:             boolean,
		KeyStaticKeys:              `^(warn|override|deny)$`,
		KeyAWSRoleARN:              nothing + role,
		KeyEKSRoleARN:              nothing + role,
		KeyAWSNamedRole:            role,
		KeyAWSAssumeRoleARN:        roles,
		KeyAWSExternalID:           `^[A-Za-z0-9_+=,.@:/-]{2,612}[A-Za-z0-9_+=,.@:/-]{0,612}$`,
		KeyAWSSessionName:          `^[A-Za-z0-9_+=,.@-]{2,64}$`,
		KeyAWSSessionDuration:      session,
		KeyAWSSessionPolicy:        `^\{[\s\S]*\}$`,
		KeyAWSSessionTags:          boolean,
		KeyAWSIMDS:                 boolean,
		KeyAWSRegion:               `^[a-z]{2,8}(-[a-z]{1,16}){1,3}-[0-9]{1,2}$`,
		KeyGCPProvider:             nothing + gcp.ProviderPattern,
		KeyGoogleProvider:          nothing + gcp.ProviderPattern,
		KeyGCPServiceAccount:       nothing + gcp.EmailPattern,
		KeyGoogleServiceAccount:    nothing + gcp.EmailPattern,
		KeyGKEServiceAccount:       nothing + gcp.EmailPattern,
		KeyGCPProject:              gcp.ProjectPattern,
		KeyGCPQuotaProject:         gcp.ProjectPattern,
		KeyGoogleProjectID:         nothing + gcp.ProjectPattern,
		KeyGKEQuotaProject:         nothing + gcp.ProjectPattern,
		KeyGCPDelegates:            `^` + email + `(,` + email + `){0,4}$`,
		KeyGCPTokenLifetime:        token,
		KeyGoogleInjectionMode:     nothing + `^(direct|gcloud)$`,
		KeyGoogleTokenExchangeMode: nothing + `^(service-account|direct-access)$`,
		KeyAzureClientID:           nothing + azure.GUIDPattern,
		KeyAzureWIClientID:         nothing + azure.GUIDPattern,
		KeyAzureTenantID:           nothing + azure.TenantPattern,
		KeyAzureWITenantID:         nothing + azure.TenantPattern,
		KeyAzureOtherClients:       `^` + client + `(,` + client + `){0,4}$`,
		KeyOIDCAudiences:           nothing + `^` + audience + `(,` + audience + `){0,4}$`,
		KeyKubeClusters:            nothing + `^` + inner(federation.NamePattern) + `(,` + inner(federation.NamePattern) + `){0,4}$`,
		KeyOIDCTokenSources:        nothing + `^` + inner(federation.NamePattern) + `(,` + inner(federation.NamePattern) + `){0,4}$`,
	}
}
