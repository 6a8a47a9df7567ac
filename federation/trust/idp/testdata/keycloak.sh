#!/bin/sh
# What Keycloak must hold so that people sign in to clusters, as podpass trust idp keycloak
# says. It can be run again: what is there is brought up to date, but for the settings of the
# realm and the scopes of clients, and nothing is taken away.
#
# Keycloak 26.6 or newer, where pods are clients; for people alone 25 or newer.
#
# - The issuer is https://sso.example.com/realms/prod, to the letter: no slash at its end,
#   and no /auth before /realms since Keycloak 17. Start Keycloak with --hostname, or a
#   token's issuer is whatever name the request came by.
# - Groups are in the tokens without their path, so that RBAC binds developers rather than
#   /developers. Groups of the same name below different parents are one to the API server:
#   keep names unique.
# - A group that comes from LDAP or from another provider is in the tokens as one of the
#   realm is. Give groups a prefix at the API server, so that nobody can be in
#   system:masters by a group of that name.
# - Map the user to sub rather than to email: people can change their address, and
#   email_verified is false for whoever an administrator has made.
# - Somebody who has left keeps access until the ID token ends, here after 300 seconds.
#   Refreshing fails at once for people who are disabled; a session by offline_access
#   outlives sign-out, and ends after 30 days without use, or when it is revoked.
# - The audience mapper lets programs send the access token (kubelogin
#   --oidc-use-access-token). An ID token has the client as its audience anyhow.
# - Keycloak takes tokens of ServiceAccounts from 26.6 on; 26.5 does as a preview, by
#   --features=client-auth-federated,kubernetes-service-accounts. A realm that is older has
#   to have "Signed JWT - Federated" added to its client authentication flow.
# - A pod's token must have https://sso.example.com/realms/prod as its audience, and live
#   for at most an hour. Keycloak takes it more than once.
# - Keycloak fetches the keys at the cluster's issuer. Each issuer may be one identity
#   provider's alone, and each subject one client's alone.
#
# Sign in first:
#   kcadm.sh config credentials --server https://sso.example.com --realm master --user admin
set -eu
kcadm=${KCADM:-kcadm.sh}
realm=prod

group() {
	found=$("$kcadm" get groups -r "$realm" -q "search=$1" -q exact=true --fields name --format csv --noquotes </dev/null)
	if ! printf '%s\n' "$found" | grep -Fqx -- "$1"; then
		"$kcadm" create groups -r "$realm" -f -
	fi
}

client() {
	id=$("$kcadm" get clients -r "$realm" -q "clientId=$1" --fields id --format csv --noquotes </dev/null)
	if [ -n "$id" ]; then
		"$kcadm" update "clients/$id" -r "$realm" -f -
	else
		"$kcadm" create clients -r "$realm" -f -
	fi
}

cluster_issuer() {
	found=$("$kcadm" get identity-provider/instances -r "$realm" --fields alias --format csv --noquotes </dev/null)
	if printf '%s\n' "$found" | grep -Fqx -- "$1"; then
		"$kcadm" update "identity-provider/instances/$1" -r "$realm" -m -f -
	else
		"$kcadm" create identity-provider/instances -r "$realm" -f -
	fi
}

# the realm; one that is there keeps its settings
found=$("$kcadm" get realms --fields realm --format csv --noquotes)
if ! printf '%s\n' "$found" | grep -Fqx -- "$realm"; then
	"$kcadm" create realms -f - <<'END'
{
  "realm": "prod",
  "enabled": true,
  "displayName": "prod",
  "sslRequired": "external",
  "registrationAllowed": false,
  "bruteForceProtected": true,
  "accessTokenLifespan": 300
}
END
fi

# groups that RBAC binds
group developers <<'END'
{
  "name": "developers"
}
END
group platform-admins <<'END'
{
  "name": "platform-admins"
}
END
group sre <<'END'
{
  "name": "sre"
}
END

# people who sign in to prod-eu
client kubernetes-prod-eu <<'END'
{
  "clientId": "kubernetes-prod-eu",
  "name": "Kubernetes prod-eu",
  "description": "People who sign in to the API of cluster prod-eu",
  "enabled": true,
  "protocol": "openid-connect",
  "publicClient": true,
  "standardFlowEnabled": true,
  "implicitFlowEnabled": false,
  "directAccessGrantsEnabled": false,
  "serviceAccountsEnabled": false,
  "fullScopeAllowed": false,
  "redirectUris": [
    "http://localhost:8000",
    "http://localhost:18000"
  ],
  "attributes": {
    "oauth2.device.authorization.grant.enabled": "true",
    "pkce.code.challenge.method": "S256"
  },
  "defaultClientScopes": [
    "basic",
    "profile",
    "email"
  ],
  "optionalClientScopes": [
    "offline_access"
  ],
  "protocolMappers": [
    {
      "name": "audience kubernetes-prod-eu",
      "protocol": "openid-connect",
      "protocolMapper": "oidc-audience-mapper",
      "config": {
        "access.token.claim": "true",
        "id.token.claim": "false",
        "included.client.audience": "kubernetes-prod-eu",
        "introspection.token.claim": "true"
      }
    },
    {
      "name": "groups",
      "protocol": "openid-connect",
      "protocolMapper": "oidc-group-membership-mapper",
      "config": {
        "access.token.claim": "true",
        "claim.name": "groups",
        "full.path": "false",
        "id.token.claim": "true",
        "introspection.token.claim": "true",
        "userinfo.token.claim": "false"
      }
    }
  ]
}
END

# people who sign in to prod-us
client kubernetes-prod-us <<'END'
{
  "clientId": "kubernetes-prod-us",
  "name": "Kubernetes prod-us",
  "description": "People who sign in to the API of cluster prod-us",
  "enabled": true,
  "protocol": "openid-connect",
  "publicClient": true,
  "standardFlowEnabled": true,
  "implicitFlowEnabled": false,
  "directAccessGrantsEnabled": false,
  "serviceAccountsEnabled": false,
  "fullScopeAllowed": false,
  "redirectUris": [
    "http://localhost:8000",
    "http://localhost:18000"
  ],
  "attributes": {
    "oauth2.device.authorization.grant.enabled": "true",
    "pkce.code.challenge.method": "S256"
  },
  "defaultClientScopes": [
    "basic",
    "profile",
    "email"
  ],
  "optionalClientScopes": [
    "offline_access"
  ],
  "protocolMappers": [
    {
      "name": "audience kubernetes-prod-us",
      "protocol": "openid-connect",
      "protocolMapper": "oidc-audience-mapper",
      "config": {
        "access.token.claim": "true",
        "id.token.claim": "false",
        "included.client.audience": "kubernetes-prod-us",
        "introspection.token.claim": "true"
      }
    },
    {
      "name": "groups",
      "protocol": "openid-connect",
      "protocolMapper": "oidc-group-membership-mapper",
      "config": {
        "access.token.claim": "true",
        "claim.name": "groups",
        "full.path": "false",
        "id.token.claim": "true",
        "introspection.token.claim": "true",
        "userinfo.token.claim": "false"
      }
    }
  ]
}
END

# the issuer of prod-eu vouches for its pods
cluster_issuer kubernetes-prod-eu <<'END'
{
  "alias": "kubernetes-prod-eu",
  "displayName": "Pods of cluster prod-eu",
  "providerId": "kubernetes",
  "enabled": true,
  "hideOnLogin": true,
  "config": {
    "allowedClockSkew": "10",
    "issuer": "https://oidc.example.com/prod-eu"
  }
}
END

# pods with ServiceAccount ci/runner of prod-eu
client prod-eu_ci_runner <<'END'
{
  "clientId": "prod-eu_ci_runner",
  "name": "ci/runner of prod-eu",
  "description": "Pods with ServiceAccount ci/runner of prod-eu",
  "enabled": true,
  "protocol": "openid-connect",
  "publicClient": false,
  "clientAuthenticatorType": "federated-jwt",
  "standardFlowEnabled": false,
  "implicitFlowEnabled": false,
  "directAccessGrantsEnabled": false,
  "serviceAccountsEnabled": true,
  "fullScopeAllowed": false,
  "redirectUris": [],
  "attributes": {
    "jwt.credential.issuer": "kubernetes-prod-eu",
    "jwt.credential.sub": "system:serviceaccount:ci:runner"
  },
  "defaultClientScopes": [
    "basic"
  ],
  "optionalClientScopes": [],
  "protocolMappers": []
}
END

# pods with ServiceAccount shop/orders.v2 of prod-eu
client prod-eu_shop_orders.v2 <<'END'
{
  "clientId": "prod-eu_shop_orders.v2",
  "name": "shop/orders.v2 of prod-eu",
  "description": "Pods with ServiceAccount shop/orders.v2 of prod-eu",
  "enabled": true,
  "protocol": "openid-connect",
  "publicClient": false,
  "clientAuthenticatorType": "federated-jwt",
  "standardFlowEnabled": false,
  "implicitFlowEnabled": false,
  "directAccessGrantsEnabled": false,
  "serviceAccountsEnabled": true,
  "fullScopeAllowed": false,
  "redirectUris": [],
  "attributes": {
    "jwt.credential.issuer": "kubernetes-prod-eu",
    "jwt.credential.sub": "system:serviceaccount:shop:orders.v2"
  },
  "defaultClientScopes": [
    "basic"
  ],
  "optionalClientScopes": [],
  "protocolMappers": [
    {
      "name": "audience kubernetes-prod-eu",
      "protocol": "openid-connect",
      "protocolMapper": "oidc-audience-mapper",
      "config": {
        "access.token.claim": "true",
        "id.token.claim": "false",
        "included.client.audience": "kubernetes-prod-eu",
        "introspection.token.claim": "true"
      }
    },
    {
      "name": "audience kubernetes-prod-us",
      "protocol": "openid-connect",
      "protocolMapper": "oidc-audience-mapper",
      "config": {
        "access.token.claim": "true",
        "id.token.claim": "false",
        "included.client.audience": "kubernetes-prod-us",
        "introspection.token.claim": "true"
      }
    }
  ]
}
END
