package statickeys

import "time"

// legacyToken is one of a ServiceAccount that has no end. Its Secret has the account's name.
// https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/
func legacyToken(namespace, account string) string {
	const prefix = "kubernetes.io/serviceaccount/"
	return newPrivateKey().sign(map[string]string{
		"iss":                           "kubernetes/serviceaccount",
		"sub":                           serviceAccountUser(namespace, account),
		prefix + "namespace":            namespace,
		prefix + "secret.name":          account,
		prefix + "service-account.name": account,
		prefix + "service-account.uid":  uuid(),
	})
}

// boundToken is one as kubelet gets for a pod, which ends in an hour.
func boundToken(namespace, account string) string {
	now := time.Now()
	return newPrivateKey().sign(map[string]any{
		"iss": "https://oidc.example.com", "aud": []string{"orders"}, "sub": serviceAccountUser(namespace, account), "jti": uuid(),
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(time.Hour).Unix(),
		"kubernetes.io": map[string]any{
			"namespace":      namespace,
			"pod":            map[string]string{"name": account + "-0", "uid": uuid()},
			"serviceaccount": map[string]string{"name": account, "uid": uuid()},
		},
	})
}

func serviceAccountUser(namespace, account string) string {
	return "system:serviceaccount:" + namespace + ":" + account
}
