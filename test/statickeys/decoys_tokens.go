package statickeys

import "time"

// decoyTokens are JWTs that let nobody into a cluster for long.
func decoyTokens(namespace string) []draft {
	bound := boundToken(namespace, "bound-token")
	partner := newPrivateKey().sign(map[string]any{"iss": "https://partner.example.com", "sub": "licence-4711", "iat": time.Now().Unix(), "edition": "enterprise"})
	boundDraft := draft{
		name: "bound-token", workload: "PodTemplate", ownAccount: true,
		secret: map[string]string{"token": bound},
		pod:    pod{mount: mount{"/var/run/secrets/tokens", projectedVolume("token", "cached-token")}},
		found:  found{secrets: []string{bound, signatureOf(bound)}}, in: "Secret", key: "token",
	}
	partnerDraft := inSecret("partner-jwt", "Rollout", "LICENCE", partner)
	partnerDraft.secrets = append(partnerDraft.secrets, signatureOf(partner))
	return []draft{boundDraft, partnerDraft}
}
