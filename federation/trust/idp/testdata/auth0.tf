# What Auth0 must hold so that people sign in to clusters, as podpass trust idp auth0 says.
# For auth0/auth0 1 or newer.
#
# - The issuer is https://example.eu.auth0.com/, with the slash at its end. It is the name
#   by which people sign in: a custom domain is another issuer.
# - Auth0 keeps the claim groups for itself, and roles, too, and leaves a claim of that name
#   out without a word. The API server is told https://podpass.io/groups.
# - Groups are Auth0's roles here. Whoever has none of them is refused by the Action, and
#   not only by RBAC.
# - A new application is open to the tenant's connections. Turn sign-ups off in those that
#   it has, and social ones: else anybody in the world has an account, though no role.
# - Map the user to sub (auth0|..., waad|...), or to email only with email_verified.
# - Refresh tokens rotate, so that two programs that refresh at the same moment need the
#   leeway.

resource "auth0_role" "developers" {
  name        = "developers"
  description = "A group that RBAC binds in clusters"
}

resource "auth0_role" "platform_admins" {
  name        = "platform-admins"
  description = "A group that RBAC binds in clusters"
}

resource "auth0_role" "sre" {
  name        = "sre"
  description = "A group that RBAC binds in clusters"
}

# people who sign in to prod-eu
resource "auth0_client" "prod_eu" {
  name            = "Kubernetes prod-eu"
  description     = "People who sign in to the API of cluster prod-eu"
  app_type        = "native"
  is_first_party  = true
  oidc_conformant = true
  callbacks       = ["http://localhost:8000", "http://localhost:18000"]
  grant_types     = ["authorization_code", "urn:ietf:params:oauth:grant-type:device_code", "refresh_token"]
  client_metadata = {
    kubernetes = "prod-eu"
  }

  jwt_configuration {
    alg                 = "RS256"
    lifetime_in_seconds = 3600
  }

  refresh_token {
    rotation_type       = "rotating"
    expiration_type     = "expiring"
    leeway              = 30
    idle_token_lifetime = 604800
    token_lifetime      = 2592000
  }
}

# a public client: no secret, but PKCE
resource "auth0_client_credentials" "prod_eu" {
  client_id             = auth0_client.prod_eu.id
  authentication_method = "none"
}

# people who sign in to prod-us
resource "auth0_client" "prod_us" {
  name            = "Kubernetes prod-us"
  description     = "People who sign in to the API of cluster prod-us"
  app_type        = "native"
  is_first_party  = true
  oidc_conformant = true
  callbacks       = ["http://localhost:8000", "http://localhost:18000"]
  grant_types     = ["authorization_code", "urn:ietf:params:oauth:grant-type:device_code", "refresh_token"]
  client_metadata = {
    kubernetes = "prod-us"
  }

  jwt_configuration {
    alg                 = "RS256"
    lifetime_in_seconds = 3600
  }

  refresh_token {
    rotation_type       = "rotating"
    expiration_type     = "expiring"
    leeway              = 30
    idle_token_lifetime = 604800
    token_lifetime      = 2592000
  }
}

# a public client: no secret, but PKCE
resource "auth0_client_credentials" "prod_us" {
  client_id             = auth0_client.prod_us.id
  authentication_method = "none"
}

# groups in the tokens
resource "auth0_action" "kubernetes_prod" {
  name    = "kubernetes-prod"
  runtime = "node22"
  deploy  = true
  code    = <<-EOT
    exports.onExecutePostLogin = async (event, api) => {
      if (!event.client.metadata.kubernetes) {
        return;
      }
      const known = ["developers","platform-admins","sre"];
      const roles = (event.authorization && event.authorization.roles) || [];
      const groups = roles.filter((role) => known.includes(role));
      if (groups.length === 0) {
        api.access.deny("not in a group that may sign in to clusters");
        return;
      }
      api.idToken.setCustomClaim("https://podpass.io/groups", groups);
    };
  EOT

  supported_triggers {
    id      = "post-login"
    version = "v3"
  }
}

resource "auth0_trigger_action" "kubernetes_prod" {
  trigger   = "post-login"
  action_id = auth0_action.kubernetes_prod.id
}

output "issuer" {
  description = "Issuer that API servers trust"
  value       = "https://example.eu.auth0.com/"
}

output "client_ids" {
  description = "Audience of each cluster's API server, and client ID for people who sign in to it"
  value = {
    "prod-eu" = auth0_client.prod_eu.client_id
    "prod-us" = auth0_client.prod_us.client_id
  }
}
