package serviceaccount

import (
	"cmp"

	"github.com/podpass-io/podpass/federation/azure"
)

func (r *resolver) azure() {
	uses := r.req.PodLabels[KeyAzureWIUse] == "true"
	client := r.agreed(KeyAzureClientID, KeyAzureWIClientID)
	if text, ok := r.req.Labels[KeyAzureWIClientID]; ok && !client.set {
		client = value{r.serviceAccount() + " label " + KeyAzureWIClientID, text, true}
		r.warn(CodeAzureLabel, client, "is a label, and other webhooks only read the annotation", "make it an annotation")
	}
	switch {
	case !client.set && uses:
		r.warn(CodeAzureNoClient, value{where: r.serviceAccount()}, "the pod has the label "+KeyAzureWIUse+", and its ServiceAccount names no client ID",
			"annotate the ServiceAccount with "+KeyAzureWIClientID)
		return
	case !client.set, r.in.Azure.RequireUseLabel && !uses:
		return
	}
	id := azure.Identity{ClientID: client.text, TenantID: r.in.Azure.TenantID, Audience: cmp.Or(r.in.Azure.Audience, azure.DefaultAudience)}
	ok := true
	if !azure.ValidClientID(client.text) {
		r.fail(CodeAzureClient, client, "is not a client ID: these are GUIDs", "az identity show, or az ad app show, shows the client ID")
		ok = false
	}
	tenant := r.agreed(KeyAzureTenantID, KeyAzureWITenantID)
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
		Mode: r.mode(r.azureMode()), TokenExpiration: r.expiration(KeyAzureWITokenExpiration, 3600), Source: source(client),
	}}
}

func (r *resolver) azureMode() Mode {
	v := r.podAnnotation(KeyAzureWIProxy)
	switch {
	case !v.set:
		return ""
	case r.boolean(v):
		return ModeBroker
	}
	return ModeDirect
}
