#!/bin/sh
# What Google Cloud must hold so that ServiceAccounts get their identities, as
# podpass trust gcp says. It can be run again: what is there already is left as it is, but
# for uploaded keys, which are brought up to date.
set -eu

# exists runs a command that shows an object: false if there is none.
exists() {
	if answer=$("$@" 2>&1); then
		return 0
	fi
	case $answer in
	*NOT_FOUND*) return 1 ;;
	*) ;;
	esac
	printf '%s\n' "$answer" >&2
	exit 1
}

keys=$(mktemp)
trap 'rm -f "$keys"' EXIT

if ! exists gcloud iam workload-identity-pools describe projects/123456789012/locations/global/workloadIdentityPools/clusters; then
	gcloud iam workload-identity-pools create projects/123456789012/locations/global/workloadIdentityPools/clusters
fi

if ! exists gcloud iam workload-identity-pools describe projects/123456789012/locations/global/workloadIdentityPools/home; then
	gcloud iam workload-identity-pools create projects/123456789012/locations/global/workloadIdentityPools/home
fi

# the issuer of cluster demo
if exists gcloud iam workload-identity-pools providers describe projects/123456789012/locations/global/workloadIdentityPools/clusters/providers/demo; then
	printf 'provider %s is there; podpass trust check says whether it fits\n' demo >&2
else
	gcloud iam workload-identity-pools providers create-oidc projects/123456789012/locations/global/workloadIdentityPools/clusters/providers/demo --issuer-uri=https://oidc.example.com/demo --attribute-mapping='attribute.namespace=assertion["kubernetes.io"]["namespace"],attribute.service_account=assertion["kubernetes.io"]["serviceaccount"]["name"],google.subject=assertion.sub' --allowed-audiences=//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/clusters/providers/demo,sts.googleapis.com
fi

# the issuer of cluster home
printf '%s\n' '{"keys":[{"alg":"RS256","e":"AQAB","kid":"k'\''1","kty":"RSA","n":"AQAB","use":"sig"}]}' >"$keys"
if exists gcloud iam workload-identity-pools providers describe projects/123456789012/locations/global/workloadIdentityPools/home/providers/k3s-1; then
	gcloud iam workload-identity-pools providers update-oidc projects/123456789012/locations/global/workloadIdentityPools/home/providers/k3s-1 --jwk-json-path="$keys"
else
	gcloud iam workload-identity-pools providers create-oidc projects/123456789012/locations/global/workloadIdentityPools/home/providers/k3s-1 --issuer-uri=https://kubernetes.default.svc.cluster.local --attribute-mapping='attribute.namespace=assertion["kubernetes.io"]["namespace"],attribute.service_account=assertion["kubernetes.io"]["serviceaccount"]["name"],google.subject=assertion.sub' --jwk-json-path="$keys"
fi

# for shop/direct of demo
gcloud projects add-iam-policy-binding example-project --role=roles/storage.objectViewer --member=principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/clusters/subject/system:serviceaccount:shop:direct --condition=None >/dev/null

# for shop/reports of demo
gcloud iam service-accounts add-iam-policy-binding projects/example-project/serviceAccounts/first@example-project.iam.gserviceaccount.com --role=roles/iam.workloadIdentityUser --member=principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/clusters/subject/system:serviceaccount:shop:reports --condition=None >/dev/null

# for shop/cart of demo
gcloud iam service-accounts add-iam-policy-binding projects/example-project/serviceAccounts/orders@example-project.iam.gserviceaccount.com --role=roles/iam.workloadIdentityUser --member=principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/clusters/subject/system:serviceaccount:shop:cart --condition=None >/dev/null

# for shop/orders of demo
gcloud iam service-accounts add-iam-policy-binding projects/example-project/serviceAccounts/orders@example-project.iam.gserviceaccount.com --role=roles/iam.workloadIdentityUser --member=principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/clusters/subject/system:serviceaccount:shop:orders --condition=None >/dev/null

# for lab/it of home
gcloud iam service-accounts add-iam-policy-binding projects/example-project/serviceAccounts/orders@example-project.iam.gserviceaccount.com --role=roles/iam.workloadIdentityUser --member=principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/home/subject/system:serviceaccount:lab:it --condition=None >/dev/null

# for shop/orders of gke
gcloud iam service-accounts add-iam-policy-binding projects/example-project/serviceAccounts/orders@example-project.iam.gserviceaccount.com --role=roles/iam.workloadIdentityUser --member='serviceAccount:example-project.svc.id.goog[shop/orders]' --condition=None >/dev/null

# for shop/reports of demo
gcloud iam service-accounts add-iam-policy-binding projects/example-project/serviceAccounts/reports@example-project.iam.gserviceaccount.com --role=roles/iam.serviceAccountTokenCreator --member=serviceAccount:first@example-project.iam.gserviceaccount.com --condition=None >/dev/null
