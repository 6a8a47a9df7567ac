package serviceaccount

// Codes of problems. They are stable: people search for them, and each has a
// heading in docs/errors.md.
const (
	CodeAWSRole       = "WI001" // a role that is no role ARN
	CodeAWSPartition  = "WI002" // a partition that the installation does not allow
	CodeAWSOption     = "WI003" // an aws-* annotation that cannot be
	CodeGCPProvider   = "WI010"
	CodeGCPAccount    = "WI011"
	CodeGCPNoProvider = "WI012" // a service account, and no provider to get to it
	CodeGCPOption     = "WI013"
	CodeGCPSubject    = "WI014" // a subject that is longer than google.subject may be
	CodeAzureClient   = "WI020"
	CodeAzureTenant   = "WI021"
	CodeAzureNoClient = "WI022" // opted in for Azure, and nothing names the client ID
	CodeAzureLabel    = "WI023" // the client ID is a label
	CodeAzureProxy    = "WI024" // a proxy is asked for that catches what the broker cannot
	CodeNumber        = "WI030"
	CodeChoice        = "WI031"
	CodeContradiction = "WI032"
	CodeTooLong       = "WI033"
	CodeTypo          = "WI034"
	CodeOIDC          = "WI035" // an audience or a token source that cannot be
	CodeIgnored       = "WI036"
	CodeInject        = "WI037"
	CodeNoIdentity    = "WI038" // opted in, and nothing to inject
	CodeTooMany       = "WI039" // more annotations than are read
	CodeResources     = "WI045" // resources of the broker that cannot be
	CodeKube          = "WI046" // a cluster that is not the installation's, or a list that cannot be
)
