package serviceaccount

import (
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
	ok := true
	if !azure.ValidClientID(client.text) {
		r.fail(CodeAzureClient, client, "is not a client ID: these are GUIDs", "az identity show, or az ad app show, shows the client ID")
		ok = false
	}
	tenant := r.agreed(strings.ToLower, KeyAzureTenantID, KeyAzureWITenantID)
	switch {
	case tenant.set && azure.ValidTenantID(tenant.text):
		id.TenantID = tenant.text
	case tenant.set:
		r.fail(CodeAzureTenant, tenant, "is neither a GUID nor a domain name", "az account show shows the tenant ID")
		ok = false
	case id.TenantID == "":
		r.fail(CodeAzureTenant, client, "names a client, and neither an annotation nor this installation names its tenant",
			"annotate the ServiceAccount with "+KeyAzureWITenantID+", or ask the administrator for the chart value azure.tenantID")
		ok = false
	}
	if !ok {
		return
	}
	r.answer.Azure = &Azure{Identity: id, Grant: Grant{
		Mode: r.mode(KeyAzureWIProxy), TokenExpiration: r.expiration(KeyAzureWITokenExpiration, 3600), Source: client.source(),
	}}
}

func (r *resolver) azureMode(v value) Mode {
	if r.boolean(v) {
		return ModeBroker
	}
	return ModeDirect
}
