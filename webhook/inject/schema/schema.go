// Package schema gives what the webhook takes as its settings to the chart: the parts of
// values.schema.json that are about them, and patterns for its templates. Both are made
// of the constants by which the settings are validated, so that what the webhook would
// refuse is refused before it is installed.
//
// Helm quotes a value that does not match a pattern, and the pattern. URLs, which may
// have a password, PEM, which may be a key, and what has a pattern that nobody can read
// therefore have none in the schema: the chart's templates check them, by [Patterns], and
// say what to write.
package schema

import (
	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/aws"
	"github.com/podpass-io/podpass/federation/azure"
	"github.com/podpass-io/podpass/federation/gcp"
	"github.com/podpass-io/podpass/federation/kube"
	"github.com/podpass-io/podpass/federation/oidc"
	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/webhook/inject"
)

type object = map[string]any

// Values are the parts of values.schema.json that are made here, by their place: the
// names on the way, separated by slashes.
func Values() map[string]map[string]any {
	return map[string]map[string]any{
		"definitions/level":                             enum(inject.LogLevels()),
		"definitions/image/properties/pullPolicy":       enum(inject.PullPolicies()),
		"definitions/image/properties/repository":       unread(),
		"definitions/image/properties/tag":              optional(inject.TagPattern),
		"definitions/quantities":                        quantities(),
		"properties/mode":                               enum(serviceaccount.Modes()),
		"properties/tokenExpiration":                    number(serviceaccount.MinTokenExpiration, serviceaccount.MaxTokenExpiration),
		"properties/brokerPort":                         number(serviceaccount.MinPort, serviceaccount.MaxPort),
		"properties/staticKeys":                         enum(serviceaccount.StaticKeysChoices()),
		"properties/userErrors":                         enum(inject.UserErrorsChoices()),
		"properties/caBundle":                           unquoted("certificates in PEM; checked by the templates"),
		"properties/mappings":                           array(mapping()),
		"properties/broker/properties/after":            array(bounded(text(inject.ContainerPattern), inject.MaxContainer)),
		"properties/broker/properties/logLevel":         ref("level"),
		"properties/broker/properties/metricsPort":      number(0, serviceaccount.MaxPort),
		"properties/broker/properties/proxy":            proxy(),
		"properties/broker/properties/runAsUser":        number(-1, inject.MaxUser),
		"properties/broker/properties/resources":        ref("resources"),
		"properties/aws/properties":                     awsValues(),
		"properties/gcp/properties":                     gcpValues(),
		"properties/azure/properties":                   azureValues(),
		"properties/oidc/properties/tokenSources":       sources(),
		"properties/kube/properties/clusters":           clusters(),
		"properties/broker/properties/imagePullSecrets": array(bounded(text(inject.SecretPattern), inject.MaxSecret)),
		"properties/broker/properties/namespaceResources": array(record([]string{"namespace", "resources"}, object{
			"namespace": text(serviceaccount.GlobPattern), "resources": ref("resources"),
		})),
	}
}

func awsValues() object {
	flag := object{"type": "boolean"}
	tag := object{"type": "string", "maxLength": 256, "pattern": `^[\p{L}\p{Z}\p{N}_.:/=+@-]*$`} // as aws.ValidTag
	return object{
		"region": optional(aws.RegionPattern), "audience": audience(), "accountID": optional(aws.AccountPattern),
		"partition": optional(aws.PartitionPattern), "useFIPSEndpoint": flag, "useDualStackEndpoint": flag,
		"clusterARN": tag, "clusterName": tag,
		"stsEndpoints": members(aws.PartitionPattern, url()),
	}
}

func gcpValues() object {
	return object{
		"defaultProvider": bounded(unread(), gcp.MaxProvider),
		"fleetPool":       bounded(optional(gcp.FleetPoolPattern), 200), "fleetIdentityProvider": bounded(url(), 300),
		"audience": audience(), "project": optional(gcp.ProjectPattern), "region": optional(gcp.RegionPattern),
		"gcloudHome": object{"type": "boolean"}, "zone": optional(gcp.ZonePattern),
		// on and off without quotes are booleans in YAML 1.1.
		"gkeAnnotation":  object{"enum": append(enum(serviceaccount.Switches())["enum"].([]any), true, false)},
		"universeDomain": bounded(optional(gcp.UniversePattern), gcp.MaxUniverse),
		"stsEndpoint":    url(), "iamCredentialsEndpoint": url(),
	}
}

func azureValues() object {
	return object{
		"tenantID": bounded(unread(), azure.MaxTenant), "authorityHost": url(), "audience": audience(),
		"probeResource":   bounded(optional(azure.ResourcePattern), azure.MaxResource),
		"requireUseLabel": object{"type": "boolean"},
	}
}

func sources() object {
	parameters := members(oidc.ParameterPattern, object{"type": "string", "maxLength": oidc.MaxParameter})
	parameters["maxProperties"] = oidc.MaxParameters
	return members(federation.NamePattern, record([]string{"tokenURL", "audience"}, object{
		"tokenURL": url(), "audience": bounded(text(oidc.AudiencePattern), oidc.MaxAudience),
		"grant":    enum([]oidc.Grant{oidc.TokenExchange, oidc.JWTBearer, oidc.ClientCredentials}),
		"encoding": enum([]oidc.Encoding{oidc.Form, oidc.JSON}),
		"clientID": object{"type": "string"}, "scope": object{"type": "string"}, "parameters": parameters,
	}))
}

func clusters() object {
	all := members(federation.NamePattern, record([]string{"server", "audience"}, object{
		"server": bounded(url(), kube.MaxServer), "caBundle": unquoted("certificates in PEM; checked by the templates"),
		"audience": bounded(text(oidc.AudiencePattern), oidc.MaxAudience), "namespace": optional(kube.NamespacePattern),
	}))
	all["maxProperties"] = kube.MaxClusters
	return all
}

func proxy() object {
	no := text(inject.NoProxyPattern)
	unquoted := text(inject.NoProxyPattern)
	unquoted["description"] = "no without quotes, as YAML reads it"
	return record(nil, object{"http": url(), "https": url(), "no": no, "false": unquoted})
}

// quantities are of the resources that the broker's container may have.
func quantities() object {
	q := object{"type": []any{"string", "number"}, "pattern": `^$|` + inject.QuantityPattern, "minimum": 0}
	all := object{}
	for _, name := range inject.ResourceNames() {
		all[name] = q
	}
	return record(nil, all)
}

// mapping has the keys that a mapping may give; their values are the templates' to check.
func mapping() object {
	keys, patterns := object{}, object{}
	for _, k := range serviceaccount.Keys() {
		switch {
		case !k.OnServiceAccount():
		case k.Name == serviceaccount.KeyAWSNamedRole:
			patterns[`^podpass\.io/aws-role-arn\.[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$`] = object{"type": "string"}
		default:
			keys[k.Name] = object{"type": "string"}
		}
	}
	annotations := record(nil, keys)
	annotations["patternProperties"] = patterns
	return record([]string{"namespace", "serviceAccount", "annotations"}, object{
		"namespace": text(serviceaccount.GlobPattern), "serviceAccount": text(serviceaccount.GlobPattern), "annotations": annotations,
	})
}
