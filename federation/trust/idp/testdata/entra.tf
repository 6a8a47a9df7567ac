# What Entra must hold so that people sign in to clusters, as podpass trust idp entra says.
# For hashicorp/azuread 3 or newer. Groups are those that are there.
#
# - The issuer is
#   https://login.microsoftonline.com/99999999-8888-7777-6666-555555555555/v2.0, to the
#   letter. Access tokens of version 1 have https://sts.windows.net/ instead: the
#   applications ask for version 2.
# - groups are object IDs, and RBAC binds these. Names are given for groups of the cloud
#   alone (cloud_displayname), not for those of a directory on premises, and anybody who may
#   rename a group can then take a name.
# - Of somebody in more than 200 groups the token has _claim_names instead of groups, and
#   the API server sees none. ApplicationGroup leaves all out but those that are assigned to
#   the application; it wants Entra ID P1, and does not see groups within groups.
# - sub differs in each application, so that one person is another user in each cluster; oid
#   is the same in all of the tenant. email and upn are not verified, and can change: map
#   the user to oid or sub. oid and tid are in ID tokens with the scope profile alone.
# - Where people may not consent to applications, an administrator grants openid, profile,
#   email and offline_access, once for each.
# - Demand tid at the API server: 99999999-8888-7777-6666-555555555555. The applications are
#   for this tenant alone (AzureADMyOrg), and guests of other tenants are in it, too.
# - The device flow wants fallback_public_client_enabled. Conditional Access often blocks
#   it: see that its policies mean to.
# - Redirect URIs of public clients are compared without their port on localhost.
# - A pod asks for a token with scope CLIENT_ID/.default, of the cluster that it talks to.
#   Its oid and sub are the object ID of its service principal, and it is in no group: bind
#   that user.
# - A new application can take some minutes until Entra knows it everywhere.

data "azuread_group" "developers" {
  display_name     = "developers"
  security_enabled = true
}

data "azuread_group" "platform_admins" {
  display_name     = "platform-admins"
  security_enabled = true
}

data "azuread_group" "sre" {
  display_name     = "sre"
  security_enabled = true
}

# people who sign in to prod-eu
resource "azuread_application" "prod_eu" {
  display_name                   = "Kubernetes prod-eu"
  sign_in_audience               = "AzureADMyOrg"
  fallback_public_client_enabled = true
  group_membership_claims        = ["ApplicationGroup"]

  api {
    requested_access_token_version = 2
  }

  public_client {
    redirect_uris = ["http://localhost:8000", "http://localhost:18000"]
  }

  app_role {
    id                   = "e945cd6d-f82c-86e8-9e10-abe23d68a5ab"
    display_name         = "People"
    value                = "People"
    description          = "People who sign in to cluster prod-eu"
    allowed_member_types = ["User"]
  }

  app_role {
    id                   = "68c7ef34-fc59-8904-ac09-fcd7e2d24d92"
    display_name         = "Pods"
    value                = "Pods"
    description          = "Pods that talk to the API of cluster prod-eu"
    allowed_member_types = ["Application"]
  }

  optional_claims {
    access_token {
      name                  = "groups"
      additional_properties = ["cloud_displayname"]
    }

    id_token {
      name                  = "groups"
      additional_properties = ["cloud_displayname"]
    }
  }
}

# only who is assigned gets a token
resource "azuread_service_principal" "prod_eu" {
  client_id                    = azuread_application.prod_eu.client_id
  app_role_assignment_required = true
}

resource "azuread_app_role_assignment" "prod_eu_developers" {
  app_role_id         = azuread_service_principal.prod_eu.app_role_ids["People"]
  principal_object_id = data.azuread_group.developers.object_id
  resource_object_id  = azuread_service_principal.prod_eu.object_id
}

resource "azuread_app_role_assignment" "prod_eu_platform_admins" {
  app_role_id         = azuread_service_principal.prod_eu.app_role_ids["People"]
  principal_object_id = data.azuread_group.platform_admins.object_id
  resource_object_id  = azuread_service_principal.prod_eu.object_id
}

resource "azuread_app_role_assignment" "prod_eu_sre" {
  app_role_id         = azuread_service_principal.prod_eu.app_role_ids["People"]
  principal_object_id = data.azuread_group.sre.object_id
  resource_object_id  = azuread_service_principal.prod_eu.object_id
}

# people who sign in to prod-us
resource "azuread_application" "prod_us" {
  display_name                   = "Kubernetes prod-us"
  sign_in_audience               = "AzureADMyOrg"
  fallback_public_client_enabled = true
  group_membership_claims        = ["ApplicationGroup"]

  api {
    requested_access_token_version = 2
  }

  public_client {
    redirect_uris = ["http://localhost:8000", "http://localhost:18000"]
  }

  app_role {
    id                   = "a1c9d4b7-2d4c-8970-a55b-ce89824baafc"
    display_name         = "People"
    value                = "People"
    description          = "People who sign in to cluster prod-us"
    allowed_member_types = ["User"]
  }

  app_role {
    id                   = "d5a4636c-97ef-8df4-90e0-8a9fcec60eac"
    display_name         = "Pods"
    value                = "Pods"
    description          = "Pods that talk to the API of cluster prod-us"
    allowed_member_types = ["Application"]
  }

  optional_claims {
    access_token {
      name                  = "groups"
      additional_properties = ["cloud_displayname"]
    }

    id_token {
      name                  = "groups"
      additional_properties = ["cloud_displayname"]
    }
  }
}

# only who is assigned gets a token
resource "azuread_service_principal" "prod_us" {
  client_id                    = azuread_application.prod_us.client_id
  app_role_assignment_required = true
}

resource "azuread_app_role_assignment" "prod_us_developers" {
  app_role_id         = azuread_service_principal.prod_us.app_role_ids["People"]
  principal_object_id = data.azuread_group.developers.object_id
  resource_object_id  = azuread_service_principal.prod_us.object_id
}

resource "azuread_app_role_assignment" "prod_us_platform_admins" {
  app_role_id         = azuread_service_principal.prod_us.app_role_ids["People"]
  principal_object_id = data.azuread_group.platform_admins.object_id
  resource_object_id  = azuread_service_principal.prod_us.object_id
}

resource "azuread_app_role_assignment" "prod_us_sre" {
  app_role_id         = azuread_service_principal.prod_us.app_role_ids["People"]
  principal_object_id = data.azuread_group.sre.object_id
  resource_object_id  = azuread_service_principal.prod_us.object_id
}

# pods with ServiceAccount ci/runner of prod-eu
resource "azuread_application" "pod_prod_eu_ci_runner" {
  display_name     = "Pods prod-eu_ci_runner"
  sign_in_audience = "AzureADMyOrg"
}

resource "azuread_service_principal" "pod_prod_eu_ci_runner" {
  client_id = azuread_application.pod_prod_eu_ci_runner.client_id
}

resource "azuread_application_federated_identity_credential" "pod_prod_eu_ci_runner" {
  application_id = azuread_application.pod_prod_eu_ci_runner.id
  display_name   = "ci_runner"
  audiences      = ["api://AzureADTokenExchange"]
  issuer         = "https://oidc.example.com/prod-eu"
  subject        = "system:serviceaccount:ci:runner"
}

# pods with ServiceAccount shop/orders.v2 of prod-eu
resource "azuread_application" "pod_prod_eu_shop_orders_v2" {
  display_name     = "Pods prod-eu_shop_orders.v2"
  sign_in_audience = "AzureADMyOrg"
}

resource "azuread_service_principal" "pod_prod_eu_shop_orders_v2" {
  client_id = azuread_application.pod_prod_eu_shop_orders_v2.client_id
}

resource "azuread_application_federated_identity_credential" "pod_prod_eu_shop_orders_v2" {
  application_id = azuread_application.pod_prod_eu_shop_orders_v2.id
  display_name   = "pods-1856060dcb31580aff434806f8019f7625f"
  audiences      = ["api://AzureADTokenExchange"]
  issuer         = "https://oidc.example.com/prod-eu"
  subject        = "system:serviceaccount:shop:orders.v2"
}

resource "azuread_app_role_assignment" "pod_prod_eu_shop_orders_v2_prod_eu" {
  app_role_id         = azuread_service_principal.prod_eu.app_role_ids["Pods"]
  principal_object_id = azuread_service_principal.pod_prod_eu_shop_orders_v2.object_id
  resource_object_id  = azuread_service_principal.prod_eu.object_id
}

resource "azuread_app_role_assignment" "pod_prod_eu_shop_orders_v2_prod_us" {
  app_role_id         = azuread_service_principal.prod_us.app_role_ids["Pods"]
  principal_object_id = azuread_service_principal.pod_prod_eu_shop_orders_v2.object_id
  resource_object_id  = azuread_service_principal.prod_us.object_id
}

output "issuer" {
  description = "Issuer that API servers trust"
  value       = "https://login.microsoftonline.com/99999999-8888-7777-6666-555555555555/v2.0"
}

output "client_ids" {
  description = "Audience of each cluster's API server, and client ID for people who sign in to it"
  value = {
    "prod-eu" = azuread_application.prod_eu.client_id
    "prod-us" = azuread_application.prod_us.client_id
  }
}

output "pods" {
  description = "Users that API servers see of pods, which RBAC binds"
  value = {
    "prod-eu_ci_runner"      = azuread_service_principal.pod_prod_eu_ci_runner.object_id
    "prod-eu_shop_orders.v2" = azuread_service_principal.pod_prod_eu_shop_orders_v2.object_id
  }
}
