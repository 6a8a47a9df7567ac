data "azuread_application" "client_11111111_2222_3333_4444_555555555555" {
  client_id = "11111111-2222-3333-4444-555555555555"
}

# for shop/cart.v2 of demo
resource "azuread_application_federated_identity_credential" "demo_shop_cart_v2_2b39d48b" {
  application_id = data.azuread_application.client_11111111_2222_3333_4444_555555555555.id
  display_name   = "demo_shop_cart-v2-2b39d48b"
  audiences      = ["api://AzureADTokenExchange"]
  issuer         = "https://oidc.example.com/demo"
  subject        = "system:serviceaccount:shop:cart.v2"
}

# for shop/orders of demo
resource "azuread_application_federated_identity_credential" "demo_shop_orders" {
  application_id = data.azuread_application.client_11111111_2222_3333_4444_555555555555.id
  display_name   = "demo_shop_orders"
  audiences      = ["api://AzureADTokenExchange"]
  issuer         = "https://oidc.example.com/demo"
  subject        = "system:serviceaccount:shop:orders"
}

# for shop/orders of other
resource "azuread_application_federated_identity_credential" "other_shop_orders" {
  application_id = data.azuread_application.client_11111111_2222_3333_4444_555555555555.id
  display_name   = "other_shop_orders"
  audiences      = ["api://AzureADTokenExchange"]
  issuer         = "https://oidc.example.com/other"
  subject        = "system:serviceaccount:shop:orders"
}

data "azuread_application" "client_22222222_3333_4444_5555_666666666666" {
  client_id = "22222222-3333-4444-5555-666666666666"
}

# for shop/orders of demo
resource "azuread_application_federated_identity_credential" "demo_shop_orders_2" {
  application_id = data.azuread_application.client_22222222_3333_4444_5555_666666666666.id
  display_name   = "demo_shop_orders"
  audiences      = ["api://AzureADTokenExchange"]
  issuer         = "https://oidc.example.com/demo"
  subject        = "system:serviceaccount:shop:orders"
}
