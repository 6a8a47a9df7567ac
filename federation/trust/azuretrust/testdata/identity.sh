#!/bin/sh
# What Entra must hold so that ServiceAccounts get their identities, as podpass trust azure
# says. It can be run again: a federated credential of the same name is brought up to date,
# and the others that an identity has are left alone.
set -eu

# client ID 11111111-2222-3333-4444-555555555555
identity=$(az identity list --query '[?clientId=='\''11111111-2222-3333-4444-555555555555'\''].name' --output tsv)
group=$(az identity list --query '[?clientId=='\''11111111-2222-3333-4444-555555555555'\''].resourceGroup' --output tsv)
if [ -z "$identity" ]; then
	echo 'error: this subscription has no managed identity with the client ID 11111111-2222-3333-4444-555555555555' >&2
	echo 'hint: choose its subscription with az account set; if it is an application, podpass trust azure --application' >&2
	exit 1
fi

# for shop/cart.v2 of demo
az identity federated-credential create --name demo_shop_cart-v2-2b39d48b --identity-name "$identity" --resource-group "$group" --issuer https://oidc.example.com/demo --subject system:serviceaccount:shop:cart.v2 --audiences api://AzureADTokenExchange --output none

# for shop/orders of demo
az identity federated-credential create --name demo_shop_orders --identity-name "$identity" --resource-group "$group" --issuer https://oidc.example.com/demo --subject system:serviceaccount:shop:orders --audiences api://AzureADTokenExchange --output none

# for shop/orders of other
az identity federated-credential create --name other_shop_orders --identity-name "$identity" --resource-group "$group" --issuer https://oidc.example.com/other --subject system:serviceaccount:shop:orders --audiences api://AzureADTokenExchange --output none

# client ID 22222222-3333-4444-5555-666666666666
identity=$(az identity list --query '[?clientId=='\''22222222-3333-4444-5555-666666666666'\''].name' --output tsv)
group=$(az identity list --query '[?clientId=='\''22222222-3333-4444-5555-666666666666'\''].resourceGroup' --output tsv)
if [ -z "$identity" ]; then
	echo 'error: this subscription has no managed identity with the client ID 22222222-3333-4444-5555-666666666666' >&2
	echo 'hint: choose its subscription with az account set; if it is an application, podpass trust azure --application' >&2
	exit 1
fi

# for shop/orders of demo
az identity federated-credential create --name demo_shop_orders --identity-name "$identity" --resource-group "$group" --issuer https://oidc.example.com/demo --subject system:serviceaccount:shop:orders --audiences api://AzureADTokenExchange --output none
