package serviceaccount

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/podpass-io/podpass/federation/azure"
)

func (r *resolver) azure() {
	uses := r.req.PodLabels[KeyAzureWIUse] == "true"
	client := r.agreed(strings.ToLower, KeyAzureClientID, KeyAzureWIClientID)
	if text := r.req.Labels[KeyAzureWIClientID]; text != "" && !client.set {
		client = value{key: KeyAzureWIClientID, where: r.account + " label " + KeyAzureWIClientID, text: text, set: true}
		r.warn(CodeAzureLabel, client, "is a label, and other webhooks only read the annotation", "make it an annotation")
	}
	r.azurePlatform()
	switch {
	case !client.set && (!uses || r.names(cloudAzure)):
		r.withoutIdentity(cloudAzure)
		return
	case r.in.Azure.RequireUseLabel && !uses && !r.req.AnyPod:
		return
	}
	// Without a client the application names one for each use, as operators do that
	// act for many: the cloud's trust decides which it may be.
	id := azure.Identity{ClientID: client.text, TenantID: r.in.Azure.TenantID, Audience: r.in.Azure.Audience}
	if client.set && !azure.ValidClientID(client.text) {
		r.fail(CodeAzureClient, client, "is not a client ID: these are GUIDs", "az identity show, or az ad app show, shows the client ID")
	}
	mode := r.mode(KeyAzureWIProxy)
	tenant := r.agreed(strings.ToLower, KeyAzureTenantID, KeyAzureWITenantID)
	switch {
	case azure.ValidTenantID(tenant.text):
		id.TenantID = tenant.text
	case tenant.set:
		r.fail(CodeAzureTenant, tenant, "is neither a GUID nor a domain name", "az account show shows the tenant ID")
	case id.TenantID == "" && !client.set && mode == ModeBroker:
		// The label alone, where nobody has set up Azure: no reason to deny a pod.
		r.warn(CodeAzureNoClient, value{where: r.account}, "the pod has the label "+KeyAzureWIUse+", and neither its ServiceAccount nor this installation names a client ID or a tenant",
			"annotate the ServiceAccount with "+KeyAzureWIClientID)
		return
	case id.TenantID == "" && client.set:
		r.fail(CodeAzureTenant, client, "names a client, and neither an annotation nor this installation names its tenant",
			"annotate the ServiceAccount with "+KeyAzureWITenantID+", or ask the administrator for the chart value azure.tenantID")
	}
	r.azureOthers(&id)
	source := "pod label " + KeyAzureWIUse
	if client.set {
		source = client.source()
	} else {
		r.warn(CodeAzureNoClient, value{where: r.account}, "names no client ID, so that the application has to name the client that it wants, each time or by AZURE_CLIENT_ID",
			"annotate the ServiceAccount with "+KeyAzureWIClientID+", unless the application does")
	}
	r.answer.Azure = &Azure{Identity: id, Grant: Grant{
		Mode: mode, TokenExpiration: r.expiration(KeyAzureWITokenExpiration, 3600), Source: source,
	}}
}

// azureUse is how the annotations begin with which a pod chooses an endpoint of the
// platform's own, such as AKS's identity bindings.
const azureUse = "azure.workload.identity/use-"

// azurePlatform warns of what the platform's own webhook alone can give.
func (r *resolver) azurePlatform() {
	for _, key := range slices.Sorted(maps.Keys(r.req.PodAnnotations)) {
		if strings.HasPrefix(key, azureUse) && strings.EqualFold(strings.TrimSpace(r.req.PodAnnotations[key]), "true") {
			r.warn(CodeIgnored, value{where: "pod annotation " + ClipName(key)}, "is for the platform's own webhook, as AKS's identity bindings are, and podpass does nothing about it",
				"let the platform serve the pod, with the label "+KeyInject+": \"false\", or remove the annotation")
		}
	}
}

// azureOthers reads the further applications; a tenant that is not named is the
// first one's.
func (r *resolver) azureOthers(id *azure.Identity) {
	v := r.lookup(KeyAzureOtherClients)
	if !v.set {
		return
	}
	list := strings.Split(v.text, ",")
	if len(list) > maxChain {
		r.fail(CodeAzureClient, v, fmt.Sprintf("lists %d clients, more than %d", len(list), maxChain), "give containers ServiceAccounts, and so pods, of their own")
		return
	}
	for _, item := range list {
		item = strings.TrimSpace(item)
		client, tenant, _ := strings.Cut(item, "@")
		tenant = cmp.Or(tenant, id.TenantID)
		switch item := (value{where: v.where, text: item, set: true}); {
		case !azure.ValidClientID(client):
			r.fail(CodeAzureClient, item, "is not a client ID: these are GUIDs", "list them as <client> or <client>@<tenant>, separated by commas")
		case strings.EqualFold(client, id.ClientID) || slices.ContainsFunc(id.Others, func(a azure.Application) bool { return strings.EqualFold(a.ClientID, client) }):
			r.fail(CodeAzureClient, item, "names a client a second time, and SDKs ask by client ID alone", "keep one of them; in another tenant it needs a ServiceAccount, and so a pod, of its own")
		case tenant != "" && !azure.ValidTenantID(tenant):
			r.fail(CodeAzureTenant, item, "is neither a GUID nor a domain name", "list clients as <client> or <client>@<tenant>, separated by commas")
		default:
			id.Others = append(id.Others, azure.Application{ClientID: client, TenantID: tenant})
		}
	}
}

// azureMode: for azure-workload-identity the annotation's presence counts, so that
// whatever is not a plain no asks for the proxy.
func (r *resolver) azureMode(v value) Mode {
	b, err := strconv.ParseBool(v.text)
	if err == nil && !b {
		return ModeDirect
	}
	if err != nil {
		r.warn(CodeChoice, v, "is neither true nor false; as it is there, it counts as true", "choose one of them, or remove the annotation")
	}
	r.warn(CodeAzureProxy, v, "asks for a proxy that catches 169.254.169.254, which the broker does not: it serves SDKs that read IDENTITY_ENDPOINT or AZURE_POD_IDENTITY_AUTHORITY_HOST (azidentity for Go 1.0, azure-identity for Python 1.7 and for Java 1.4.1, Azure.Identity for .NET 1.5, @azure/identity 2.0, and newer)",
		"leave it for those; what has that address built in, as SDKs from before Azure.Identity have, needs a newer SDK, or one with WorkloadIdentityCredential and podpass.io/mode: direct")
	return ModeBroker
}
