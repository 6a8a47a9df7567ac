# hashicorp/azurerm 5 or newer; before, user_assigned_identity_id is parent_id, and
# resource_group_name is needed besides
variable "identities" {
  type        = map(string)
  description = "Resource IDs of the managed identities, by client ID"
}

# for shop/cart.v2 of demo
resource "azurerm_federated_identity_credential" "demo_shop_cart_v2_2b39d48b" {
  name                      = "demo_shop_cart-v2-2b39d48b"
  user_assigned_identity_id = var.identities["11111111-2222-3333-4444-555555555555"]
  audience                  = ["api://AzureADTokenExchange"]
  issuer                    = "https://oidc.example.com/demo"
  subject                   = "system:serviceaccount:shop:cart.v2"
}

# for shop/orders of demo
resource "azurerm_federated_identity_credential" "demo_shop_orders" {
  name                      = "demo_shop_orders"
  user_assigned_identity_id = var.identities["11111111-2222-3333-4444-555555555555"]
  audience                  = ["api://AzureADTokenExchange"]
  issuer                    = "https://oidc.example.com/demo"
  subject                   = "system:serviceaccount:shop:orders"
}

# for shop/orders of other
resource "azurerm_federated_identity_credential" "other_shop_orders" {
  name                      = "other_shop_orders"
  user_assigned_identity_id = var.identities["11111111-2222-3333-4444-555555555555"]
  audience                  = ["api://AzureADTokenExchange"]
  issuer                    = "https://oidc.example.com/other"
  subject                   = "system:serviceaccount:shop:orders"
}

# for shop/orders of demo
resource "azurerm_federated_identity_credential" "demo_shop_orders_2" {
  name                      = "demo_shop_orders"
  user_assigned_identity_id = var.identities["22222222-3333-4444-5555-666666666666"]
  audience                  = ["api://AzureADTokenExchange"]
  issuer                    = "https://oidc.example.com/demo"
  subject                   = "system:serviceaccount:shop:orders"
}
