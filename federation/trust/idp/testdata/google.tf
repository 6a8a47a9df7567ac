# What Google must hold so that people sign in to clusters, as podpass trust idp google
# says. For hashicorp/google 6 or newer. Clients are made by hand: podpass trust idp google
# -o steps.
#
# - Google's tokens have no groups. RBAC binds persons, or GKE asks for groups itself
#   (Google Groups for RBAC), or a provider that knows groups, Keycloak for example, stands
#   between.
# - Demand hd at the API server: example.com. The issuer is https://accounts.google.com for
#   everybody with an account at Google; an address that ends in the domain does not show
#   that the company has it.
# - Map the user to sub, or to email with email_verified: an address is given to the next
#   person some day, sub never is.
# - offline_access is refused with invalid_scope. Refresh tokens come for
#   access_type=offline, and for prompt=consent if there was one before; in a project whose
#   consent screen is External and in testing they end after 7 days.
# - Google gives clients of desktop programs a secret, and wants it back with the code. It
#   keeps nobody out, Google says so itself, and may be in a kubeconfig. PKCE is what
#   protects.
# - The device flow wants a client of its own, of the type TVs and Limited Input devices:
#   another client ID, which is another audience for the API server.

data "google_organization" "company" {
  domain = "example.com"
}

# GKE asks this group, and no other, which groups RBAC may bind: then
#   gcloud container clusters update CLUSTER --security-group=gke-security-groups@example.com
resource "google_cloud_identity_group" "gke_security_groups" {
  display_name = "gke-security-groups"
  description  = "Groups that RBAC binds in GKE clusters"
  parent       = "customers/${data.google_organization.company.directory_customer_id}"
  labels = {
    "cloudidentity.googleapis.com/groups.discussion_forum" = ""
  }

  group_key {
    id = "gke-security-groups@example.com"
  }
}

resource "google_cloud_identity_group_membership" "developers_example_com" {
  group = google_cloud_identity_group.gke_security_groups.id

  preferred_member_key {
    id = "developers@example.com"
  }

  roles {
    name = "MEMBER"
  }
}

resource "google_cloud_identity_group_membership" "sre_example_com" {
  group = google_cloud_identity_group.gke_security_groups.id

  preferred_member_key {
    id = "sre@example.com"
  }

  roles {
    name = "MEMBER"
  }
}
