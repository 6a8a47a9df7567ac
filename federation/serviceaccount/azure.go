package serviceaccount

import (
	"cmp"
	"fmt"
	"slices"
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
	switch {
	case !client.set && uses:
		r.warn(CodeAzureNoClient, value{where: r.account}, "the pod has the label "+KeyAzureWIUse+", and its ServiceAccount names no client ID",
			"annotate the ServiceAccount with "+KeyAzureWIClientID)
		return
	case !client.set:
		r.withoutIdentity(cloudAzure)
		return
	case r.in.Azure.RequireUseLabel && !uses:
		return
	}
	id := azure.Identity{ClientID: client.text, TenantID: r.in.Azure.TenantID, Audience: r.in.Azure.Audience}
	if !azure.ValidClientID(client.text) {
		r.fail(CodeAzureClient, client, "is not a client ID: these are GUIDs", "az identity show, or az ad app show, shows the client ID")
	}
	tenant := r.agreed(strings.ToLower, KeyAzureTenantID, KeyAzureWITenantID)
	switch {
	case azure.ValidTenantID(tenant.text):
		id.TenantID = tenant.text
	case tenant.set:
		r.fail(CodeAzureTenant, tenant, "is neither a GUID nor a domain name", "az account show shows the tenant ID")
	case id.TenantID == "":
		r.fail(CodeAzureTenant, client, "names a client, and neither an annotation nor this installation names its tenant",
			"annotate the ServiceAccount with "+KeyAzureWITenantID+", or ask the administrator for the chart value azure.tenantID")
	}
	r.azureOthers(&id)
	r.answer.Azure = &Azure{Identity: id, Grant: Grant{
		Mode: r.mode(KeyAzureWIProxy), TokenExpiration: r.expiration(KeyAzureWITokenExpiration, 3600), Source: client.source(),
	}}
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

func (r *resolver) azureMode(v value) Mode {
	if r.boolean(v) {
		return ModeBroker
	}
	return ModeDirect
}
