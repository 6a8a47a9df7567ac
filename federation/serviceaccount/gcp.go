package serviceaccount

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/podpass-io/podpass/federation/gcp"
)

func (r *resolver) gcp() {
	before := len(r.answer.Errors)
	provider := r.agreed(canonicalProvider, KeyGCPProvider, KeyGoogleProvider)
	account := r.agreed(verbatim, r.unlessGKE([]string{KeyGCPServiceAccount, KeyGoogleServiceAccount}, KeyGKEServiceAccount)...)
	if len(r.answer.Errors) > before {
		return // what contradicts itself is not also missing
	}
	if !provider.set && !account.set {
		r.withoutIdentity(cloudGCP)
		return
	}
	var id gcp.Identity
	r.gcpProvider(&id, provider, account)
	if account.set {
		id.ServiceAccount = account.text
		if !gcp.ValidServiceAccount(account.text) {
			r.fail(CodeGCPAccount, account, "is not the email of a service account", "set it to <name>@<project>.iam.gserviceaccount.com")
		}
	}
	if v := r.lookup(KeyGoogleTokenExchangeMode); v.set {
		switch strings.ToLower(v.text) {
		case "service-account":
			if !account.set {
				r.fail(CodeGCPAccount, v, "asks for a service account, and none is named", "annotate the ServiceAccount with "+KeyGoogleServiceAccount+", or remove this annotation")
			}
		case "direct-access":
			id.ServiceAccount = ""
		default:
			r.fail(CodeChoice, v, "is neither service-account nor direct-access", "choose one of them, or remove the annotation")
		}
	}
	r.gcpOptions(&id)
	r.gcpSubject()
	named := provider
	if !provider.set {
		named = account
	}
	r.answer.GCP = &GCP{Identity: id, Gcloud: r.gcloud(), Grant: Grant{
		Mode: r.mode(KeyGoogleInjectionMode), TokenExpiration: r.expiration(KeyGoogleTokenExpiration, 600), Source: named.source(),
	}}
}

// unlessGKE is keys with gkeKeys, GKE's own, unless GKE itself is to serve the pod.
func (r *resolver) unlessGKE(keys []string, gkeKeys ...string) []string {
	served := r.req.PodNodeSelector[KeyGKEMetadataServer] == "true"
	if s := r.in.GCP.GKEAnnotation; s == "off" || s != "on" && served {
		return keys
	}
	return append(keys, gkeKeys...)
}

// canonicalProvider is what STS calls a provider, if it is one.
func canonicalProvider(s string) string {
	if name, err := gcp.ParseProvider(s); err == nil {
		return name
	}
	return s
}

func (r *resolver) gcpProvider(id *gcp.Identity, provider, account value) {
	if !provider.set {
		id.Provider = r.in.defaultProvider()
		if id.Provider == "" {
			r.fail(CodeGCPNoProvider, account, "names a service account, and neither an annotation nor this installation names the workload identity provider that leads to it",
				"annotate the ServiceAccount with "+KeyGoogleProvider+", or ask the administrator for the chart value gcp.defaultProvider")
			return
		}
	} else {
		var err error
		if id.Provider, err = gcp.ParseProvider(provider.text); err != nil {
			r.fail(CodeGCPProvider, provider, err.Error(), "gcloud iam workload-identity-pools providers describe shows the name to use; gcloud projects describe shows a project's number")
			return
		}
	}
	id.Audience = cmp.Or(r.in.GCP.Audience, id.Provider)
	if pool, _, ok := gcp.IdentityNamespace(id.Provider); ok {
		id.Audience = pool // GKE and fleets take no other than the pool itself
	}
	if v := r.lookup(KeyGoogleAudience); v.set {
		id.Audience = v.text
	}
}

// defaultProvider is the STS audience of the installation's provider; "": none.
func (in Installation) defaultProvider() string {
	g := in.GCP
	if g.DefaultProvider != "" {
		name, err := gcp.ParseProvider(g.DefaultProvider)
		if err != nil {
			return "" // Validate has said so
		}
		return name
	}
	if g.FleetPool != "" && g.FleetIdentityProvider != "" {
		return "identitynamespace:" + g.FleetPool + ":" + g.FleetIdentityProvider
	}
	return ""
}

func (r *resolver) gcpSubject() {
	subject := "system:serviceaccount:" + r.req.Namespace + ":" + r.req.Name
	if len(subject) > gcp.MaxSubject {
		r.warn(CodeGCPSubject, value{where: r.account, text: subject},
			fmt.Sprintf("is a subject of %d bytes, and Google's STS refuses a google.subject of more than %d", len(subject), gcp.MaxSubject),
			"shorten the ServiceAccount's name, or let the provider map google.subject to something shorter, such as assertion['kubernetes.io'].serviceaccount.uid")
	}
}

// leastLifetime of a token, in seconds: the broker renews it when half of it is over.
const leastLifetime = 1200

func (r *resolver) gcpOptions(id *gcp.Identity) {
	id.Project = cmp.Or(gcp.ProjectOf(id.ServiceAccount), r.in.GCP.Project, gcp.ProjectOfPool(id.Provider))
	if v := r.agreed(verbatim, KeyGCPProject, KeyGoogleProjectID); v.set {
		id.Project = r.project(v)
	}
	if v := r.agreed(verbatim, r.unlessGKE([]string{KeyGCPQuotaProject}, KeyGKEQuotaProject)...); v.set {
		id.QuotaProject = r.project(v)
	}
	for _, key := range r.unlessGKE(nil, KeyGKEPrincipalAsEmail) {
		id.PrincipalAsEmail = r.boolean(r.lookup(key))
	}
	if v := r.lookup(KeyGCPDelegates); v.set {
		r.impersonates(id, v)
		for email := range strings.SplitSeq(v.text, ",") {
			if email = strings.TrimSpace(email); !gcp.ValidServiceAccount(email) {
				r.fail(CodeGCPOption, value{where: v.where, text: email, set: true}, "is not the email of a service account", "list emails, separated by commas")
			}
			id.Delegates = append(id.Delegates, email)
		}
		if len(id.Delegates) > maxChain {
			r.fail(CodeGCPOption, v, fmt.Sprintf("lists %d delegates, more than %d", len(id.Delegates), maxChain), "shorten the chain")
		}
	}
	if v := r.lookup(KeyGCPTokenLifetime); v.set {
		r.impersonates(id, v)
		id.TokenLifetime = int(r.number(v, gcp.MinTokenLifetime, gcp.MaxTokenLifetime))
		if id.TokenLifetime > 0 && id.TokenLifetime < leastLifetime {
			r.warn(CodeGCPOption, v, "makes tokens that the broker serves with less than 10 minutes left, which some clients renew again and again", "use 1200 or more")
		}
	}
	if v := r.lookup(KeyGoogleRunAsUser); v.set {
		r.warn(CodeIgnored, v, "is ignored: podpass adds no gcloud container", "remove the annotation")
	}
}

// impersonates refuses an option of impersonation without it.
func (r *resolver) impersonates(id *gcp.Identity, v value) {
	if id.ServiceAccount == "" {
		r.fail(CodeGCPOption, v, "has no effect: no service account is impersonated", "annotate the ServiceAccount with "+KeyGCPServiceAccount+", or remove this annotation")
	}
}

func (r *resolver) project(v value) string {
	if !gcp.ValidProject(v.text) {
		r.fail(CodeGCPOption, v, "is not a project ID", "gcloud projects list shows them; a project's number is not its ID")
	}
	return v.text
}

// gcloudMode is the injection mode in which pfnet's webhook adds a container of gcloud.
const gcloudMode = "gcloud"

// gcloud reports whether the containers were made for that mode.
func (r *resolver) gcloud() bool {
	v := r.lookup(KeyGoogleInjectionMode)
	return strings.EqualFold(v.text, gcloudMode) || r.in.GCP.GcloudHome && !v.set
}

func (r *resolver) googleMode(v value) Mode {
	switch strings.ToLower(v.text) {
	case "direct":
		return ModeDirect
	case gcloudMode:
		r.warn(CodeIgnored, v, "no gcloud container is added: gcloud finds its credentials where all SDKs do", "remove the annotation")
		return "" // the installation's: there it was a way to make the credentials, not one to have them
	}
	r.fail(CodeChoice, v, "is neither direct nor gcloud", "choose one of them, or remove the annotation")
	return ""
}
