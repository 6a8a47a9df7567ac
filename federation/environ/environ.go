// Package environ says what a container's variables mean for its cloud credentials:
// which name an identity of its own, which hold or name a static key, and which only
// hint at a file. The webhook decides by it what it adds, and what finds static keys
// reports by it.
//
// What SDKs do with each was measured with those of Go, JavaScript and Python:
// test/conformance/sdks.
package environ

// Meaning of a variable that a container sets.
type Meaning string

const (
	// Choice is of another identity, or of another place to get one: it stays, with a
	// warning.
	Choice Meaning = "choice"
	// Key is a static key, or a part of one.
	Key Meaning = "key"
	// KeyFile names a file that holds a static key nearly always; whether it does
	// cannot be seen in the pod.
	KeyFile Meaning = "key file"
	// Hint says nothing of an identity: SDKs take the injected one all the same, or
	// together with what the variable says.
	Hint Meaning = "hint"
)

// Variable is one that SDKs of a cloud read.
type Variable struct {
	// Cloud is aws, gcp or azure.
	Cloud   string
	Name    string
	Meaning Meaning
}

// Variables are all, by cloud and meaning.
func Variables() []Variable {
	var list []Variable
	for _, g := range []struct {
		cloud   string
		meaning Meaning
		names   []string
	}{
		{"aws", Choice, []string{
			"AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
			"AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
			"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN",
		}},
		// The second pair is read where the first is not set, by Go's SDK and Java's first;
		// the last is Bedrock's alone.
		{"aws", Key, []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_BEARER_TOKEN_BEDROCK"}},
		// After the first they are Java's and boto's.
		{"aws", KeyFile, []string{"AWS_SHARED_CREDENTIALS_FILE", "AWS_CREDENTIAL_PROFILES_FILE", "AWS_CREDENTIAL_FILE", "BOTO_CONFIG"}},
		{"aws", Hint, []string{
			"AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_CONFIG_FILE", "AWS_SDK_LOAD_CONFIG", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_STS_REGIONAL_ENDPOINTS",
			"AWS_EC2_METADATA_DISABLED", "AWS_EC2_METADATA_SERVICE_ENDPOINT", "AWS_ROLE_SESSION_NAME",
		}},

		// gcloud reads ROOT alone, and Node's SDK IP before HOST.
		{"gcp", Choice, []string{"GCE_METADATA_HOST", "GCE_METADATA_IP", "GCE_METADATA_ROOT"}},
		// Terraform's; each may be a path, too.
		{"gcp", Key, []string{"GOOGLE_CREDENTIALS", "GOOGLE_CLOUD_KEYFILE_JSON", "GCLOUD_KEYFILE_JSON", "GOOGLE_OAUTH_ACCESS_TOKEN"}},
		// After the first they are gcloud's alone.
		{"gcp", KeyFile, []string{"GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE", "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE"}},
		{"gcp", Hint, []string{
			"GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT", "CLOUDSDK_CONFIG", "GOOGLE_CLOUD_QUOTA_PROJECT", "NO_GCE_CHECK", "METADATA_SERVER_DETECTION",
		}},

		{"azure", Choice, []string{
			"IDENTITY_ENDPOINT", "IDENTITY_HEADER", "IDENTITY_SERVER_THUMBPRINT", "MSI_ENDPOINT", "MSI_SECRET", "IMDS_ENDPOINT",
			"AZURE_FEDERATED_TOKEN_FILE",
		}},
		// A user name alone is no key. After the second they are Terraform's and the command line's.
		{"azure", Key, []string{
			"AZURE_CLIENT_SECRET", "AZURE_PASSWORD", "ARM_CLIENT_SECRET", "AZURE_STORAGE_KEY", "AZURE_STORAGE_CONNECTION_STRING", "AZURE_STORAGE_SAS_TOKEN",
		}},
		// After the first: Terraform's, the older Go SDK's, and Velero's.
		{"azure", KeyFile, []string{"AZURE_CLIENT_CERTIFICATE_PATH", "ARM_CLIENT_CERTIFICATE_PATH", "AZURE_AUTH_LOCATION", "AZURE_CREDENTIALS_FILE"}},
		{"azure", Hint, []string{
			"AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_USERNAME", "AZURE_AUTHORITY_HOST", "AZURE_TOKEN_CREDENTIALS", "AZURE_POD_IDENTITY_AUTHORITY_HOST",
		}},
	} {
		for _, name := range g.names {
			list = append(list, Variable{g.cloud, name, g.meaning})
		}
	}
	return list
}

// Names are those of a cloud's variables that have one of the meanings, in the order
// of [Variables].
func Names(cloud string, meanings ...Meaning) []string {
	var names []string
	for _, v := range Variables() {
		for _, m := range meanings {
			if v.Cloud == cloud && v.Meaning == m {
				names = append(names, v.Name)
			}
		}
	}
	return names
}
