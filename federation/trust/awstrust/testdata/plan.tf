# provider "aws" {
#   alias = "account_111122223333"
# }
# provider "aws" {
#   alias = "account_444455556666"
# }

# The issuer of cluster prod. If the account has it already:
# terraform import aws_iam_openid_connect_provider.prod arn:aws:iam::111122223333:oidc-provider/oidc.example.com/prod
resource "aws_iam_openid_connect_provider" "prod" {
  provider = aws.account_111122223333

  url             = "https://oidc.example.com/prod"
  client_id_list  = ["sts.amazonaws.com", "vault"]
  thumbprint_list = ["9e99a48a9960b14926bb7f3b02e22da2b0ab7280"]
}

# For shop/orders of prod, shop/web.
resource "aws_iam_role" "orders" {
  provider = aws.account_111122223333

  name                 = "orders"
  path                 = "/"
  max_session_duration = 3600

  assume_role_policy = jsonencode({
    "Version" = "2012-10-17"
    "Statement" = [
      {
        "Effect" = "Allow"
        "Principal" = {
          "Federated" = "arn:aws:iam::111122223333:oidc-provider/oidc.example.com/prod"
        }
        "Action" = "sts:AssumeRoleWithWebIdentity"
        "Condition" = {
          "StringEquals" = {
            "oidc.example.com/prod:aud" = "sts.amazonaws.com"
            "oidc.example.com/prod:sub" = "system:serviceaccount:shop:orders"
          }
        }
      },
      {
        "Effect" = "Allow"
        "Principal" = {
          "Federated" = "arn:aws:iam::111122223333:oidc-provider/oidc.example.com/prod"
        }
        "Action" = "sts:AssumeRoleWithWebIdentity"
        "Condition" = {
          "StringEquals" = {
            "oidc.example.com/prod:aud" = "vault"
            "oidc.example.com/prod:sub" = "system:serviceaccount:shop:web"
          }
        }
      },
    ]
  })

  depends_on = [aws_iam_openid_connect_provider.prod]
}

# The next roles of its chains.
resource "aws_iam_role_policy" "orders" {
  provider = aws.account_111122223333

  name = "podpass-assume-role"
  role = aws_iam_role.orders.name

  policy = jsonencode({
    "Version" = "2012-10-17"
    "Statement" = [
      {
        "Effect"   = "Allow"
        "Action"   = "sts:AssumeRole"
        "Resource" = "arn:aws:iam::111122223333:role/9"
      },
      {
        "Effect" = "Allow"
        "Action" = [
          "sts:AssumeRole",
          "sts:TagSession",
        ]
        "Resource" = "arn:aws:iam::444455556666:role/team/partner"
      },
    ]
  })
}

# For shop/web.
resource "aws_iam_role" "_9" {
  provider = aws.account_111122223333

  name                 = "9"
  path                 = "/"
  max_session_duration = 3600

  assume_role_policy = jsonencode({
    "Version" = "2012-10-17"
    "Statement" = [
      {
        "Effect" = "Allow"
        "Principal" = {
          "AWS" = "arn:aws:iam::111122223333:role/orders"
        }
        "Action" = "sts:AssumeRole"
      },
    ]
  })

  depends_on = [aws_iam_role.orders]
}

# For shop/orders of prod.
resource "aws_iam_role" "partner" {
  provider = aws.account_444455556666

  name                 = "partner"
  path                 = "/team/"
  max_session_duration = 3600

  assume_role_policy = jsonencode({
    "Version" = "2012-10-17"
    "Statement" = [
      {
        "Effect" = "Allow"
        "Principal" = {
          "AWS" = "arn:aws:iam::111122223333:role/orders"
        }
        "Action" = [
          "sts:AssumeRole",
          "sts:TagSession",
        ]
        "Condition" = {
          "StringEquals" = {
            "sts:ExternalId" = "42"
          }
        }
      },
    ]
  })

  depends_on = [aws_iam_role.orders]
}

# The next roles of its chains.
resource "aws_iam_role_policy" "partner" {
  provider = aws.account_444455556666

  name = "podpass-assume-role"
  role = aws_iam_role.partner.name

  policy = jsonencode({
    "Version" = "2012-10-17"
    "Statement" = [
      {
        "Effect" = "Allow"
        "Action" = [
          "sts:AssumeRole",
          "sts:TagSession",
        ]
        "Resource" = "arn:aws:iam::444455556666:role/deep"
      },
    ]
  })
}

# For shop/orders of prod.
resource "aws_iam_role" "deep" {
  provider = aws.account_444455556666

  name                 = "deep"
  path                 = "/"
  max_session_duration = 3600

  assume_role_policy = jsonencode({
    "Version" = "2012-10-17"
    "Statement" = [
      {
        "Effect" = "Allow"
        "Principal" = {
          "AWS" = "arn:aws:iam::444455556666:role/team/partner"
        }
        "Action" = [
          "sts:AssumeRole",
          "sts:TagSession",
        ]
        "Condition" = {
          "StringEquals" = {
            "sts:ExternalId" = "42"
          }
        }
      },
    ]
  })

  depends_on = [aws_iam_role.partner]
}
