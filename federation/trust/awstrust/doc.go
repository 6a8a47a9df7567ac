// Package awstrust is trust in AWS: the IAM OIDC providers and roles that let
// ServiceAccounts in ([Render]), and whether a role lets a token in ([Evaluate]).
//
// Evaluate follows IAM's own rules for the trust policy of a role that is assumed with
// sts:AssumeRoleWithWebIdentity: principals, actions and conditions of each statement
// must hold, and a Deny wins. What depends on more of the request than its token is not
// guessed: it is named. Sources:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html,
// .../reference_policies_elements_condition_operators.html,
// .../reference_policies_condition-single-vs-multi-valued-context-keys.html and
// .../reference_policies_iam-condition-keys.html#condition-keys-wif
//
// All functions are pure, and safe for concurrent use.
package awstrust
