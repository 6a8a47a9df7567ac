# What Okta must hold so that people sign in to clusters, as podpass trust idp okta says.
# For okta/okta 4.8 or newer. Groups are those that are there.
#
# - The issuer is the authorization server's, https://ORG.okta.com/oauth2/ID, and not the
#   org's. A custom domain changes it: issuer_mode says by which name tokens are issued.
# - Authorization servers of one's own are Okta's API Access Management. Without it, take
#   the org's, and groups_claim in okta_app_oauth, which the provider ignores when it is
#   itself signed in by OAuth.
# - Okta answers with an error instead of a token if more than 100 groups fit the filter: it
#   names those that RBAC binds, and no pattern that grows.
# - The claim is always in the token. Otherwise an ID token that comes with an access token
#   is a thin one, and has no groups.
# - Groups are names. Whoever may make groups in Okta, or in a directory that it imports,
#   can make one of the same name: give groups a prefix at the API server, and keep the
#   names to administrators.
# - Map the user to sub. In an ID token it is Okta's own ID of the person; in an access
#   token of such a server it is the login, which can change hands.
# - Only people of groups that are assigned to the application can sign in. Somebody who is
#   deactivated cannot refresh any more; an ID token lives on for an hour at most.

data "okta_group" "developers" {
  name = "developers"
}

data "okta_group" "platform_admins" {
  name = "platform-admins"
}

data "okta_group" "sre" {
  name = "sre"
}

resource "okta_auth_server" "kubernetes_prod" {
  name        = "kubernetes-prod"
  description = "People who sign in to clusters"
  audiences   = ["kubernetes-prod"]
}

resource "okta_auth_server_claim" "kubernetes_prod" {
  auth_server_id          = okta_auth_server.kubernetes_prod.id
  name                    = "groups"
  claim_type              = "IDENTITY"
  value_type              = "GROUPS"
  group_filter_type       = "REGEX"
  value                   = "^(developers|platform-admins|sre)$"
  always_include_in_token = true
}

# people who sign in to prod-eu
resource "okta_app_oauth" "prod_eu" {
  label                      = "Kubernetes prod-eu"
  client_id                  = "kubernetes-prod-eu"
  type                       = "native"
  grant_types                = ["authorization_code", "urn:ietf:params:oauth:grant-type:device_code", "refresh_token"]
  response_types             = ["code"]
  redirect_uris              = ["http://localhost:8000", "http://localhost:18000"]
  token_endpoint_auth_method = "none"
  pkce_required              = true
}

resource "okta_app_group_assignments" "prod_eu" {
  app_id = okta_app_oauth.prod_eu.id

  group {
    id = data.okta_group.developers.id
  }

  group {
    id = data.okta_group.platform_admins.id
  }

  group {
    id = data.okta_group.sre.id
  }
}

# people who sign in to prod-us
resource "okta_app_oauth" "prod_us" {
  label                      = "Kubernetes prod-us"
  client_id                  = "kubernetes-prod-us"
  type                       = "native"
  grant_types                = ["authorization_code", "urn:ietf:params:oauth:grant-type:device_code", "refresh_token"]
  response_types             = ["code"]
  redirect_uris              = ["http://localhost:8000", "http://localhost:18000"]
  token_endpoint_auth_method = "none"
  pkce_required              = true
}

resource "okta_app_group_assignments" "prod_us" {
  app_id = okta_app_oauth.prod_us.id

  group {
    id = data.okta_group.developers.id
  }

  group {
    id = data.okta_group.platform_admins.id
  }

  group {
    id = data.okta_group.sre.id
  }
}

# a server of one's own gives no token without a policy that allows it
resource "okta_auth_server_policy" "kubernetes_prod" {
  auth_server_id   = okta_auth_server.kubernetes_prod.id
  name             = "clusters"
  description      = "The clusters' clients, and no others"
  priority         = 1
  client_whitelist = [okta_app_oauth.prod_eu.client_id, okta_app_oauth.prod_us.client_id]
}

resource "okta_auth_server_policy_rule" "kubernetes_prod" {
  auth_server_id       = okta_auth_server.kubernetes_prod.id
  policy_id            = okta_auth_server_policy.kubernetes_prod.id
  name                 = "people"
  priority             = 1
  group_whitelist      = [data.okta_group.developers.id, data.okta_group.platform_admins.id, data.okta_group.sre.id]
  grant_type_whitelist = ["authorization_code", "urn:ietf:params:oauth:grant-type:device_code"]
  scope_whitelist      = ["openid", "profile", "email", "offline_access"]
}

output "issuer" {
  description = "Issuer that API servers trust"
  value       = okta_auth_server.kubernetes_prod.issuer
}

output "client_ids" {
  description = "Audience of each cluster's API server, and client ID for people who sign in to it"
  value = {
    "prod-eu" = okta_app_oauth.prod_eu.client_id
    "prod-us" = okta_app_oauth.prod_us.client_id
  }
}
