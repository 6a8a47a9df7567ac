#!/bin/sh
# What Entra must hold so that ServiceAccounts get their identities, as podpass trust azure
# says. It can be run again: a federated credential of the same name is brought up to date,
# and the others that an identity has are left alone.
set -eu

# for shop/cart.v2 of demo
credential='{"name":"demo_shop_cart-v2-2b39d48b","issuer":"https://oidc.example.com/demo","subject":"system:serviceaccount:shop:cart.v2","audiences":["api://AzureADTokenExchange"]}'
there=$(az ad app federated-credential list --id 11111111-2222-3333-4444-555555555555 --query '[?name=='\''demo_shop_cart-v2-2b39d48b'\''].id' --output tsv)
if [ -n "$there" ]; then
	az ad app federated-credential update --id 11111111-2222-3333-4444-555555555555 --federated-credential-id demo_shop_cart-v2-2b39d48b --parameters "$credential" --output none
else
	az ad app federated-credential create --id 11111111-2222-3333-4444-555555555555 --parameters "$credential" --output none
fi

# for shop/orders of demo
credential='{"name":"demo_shop_orders","issuer":"https://oidc.example.com/demo","subject":"system:serviceaccount:shop:orders","audiences":["api://AzureADTokenExchange"]}'
there=$(az ad app federated-credential list --id 11111111-2222-3333-4444-555555555555 --query '[?name=='\''demo_shop_orders'\''].id' --output tsv)
if [ -n "$there" ]; then
	az ad app federated-credential update --id 11111111-2222-3333-4444-555555555555 --federated-credential-id demo_shop_orders --parameters "$credential" --output none
else
	az ad app federated-credential create --id 11111111-2222-3333-4444-555555555555 --parameters "$credential" --output none
fi

# for shop/orders of other
credential='{"name":"other_shop_orders","issuer":"https://oidc.example.com/other","subject":"system:serviceaccount:shop:orders","audiences":["api://AzureADTokenExchange"]}'
there=$(az ad app federated-credential list --id 11111111-2222-3333-4444-555555555555 --query '[?name=='\''other_shop_orders'\''].id' --output tsv)
if [ -n "$there" ]; then
	az ad app federated-credential update --id 11111111-2222-3333-4444-555555555555 --federated-credential-id other_shop_orders --parameters "$credential" --output none
else
	az ad app federated-credential create --id 11111111-2222-3333-4444-555555555555 --parameters "$credential" --output none
fi

# for shop/orders of demo
credential='{"name":"demo_shop_orders","issuer":"https://oidc.example.com/demo","subject":"system:serviceaccount:shop:orders","audiences":["api://AzureADTokenExchange"]}'
there=$(az ad app federated-credential list --id 22222222-3333-4444-5555-666666666666 --query '[?name=='\''demo_shop_orders'\''].id' --output tsv)
if [ -n "$there" ]; then
	az ad app federated-credential update --id 22222222-3333-4444-5555-666666666666 --federated-credential-id demo_shop_orders --parameters "$credential" --output none
else
	az ad app federated-credential create --id 22222222-3333-4444-5555-666666666666 --parameters "$credential" --output none
fi
