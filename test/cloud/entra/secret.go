package entra

import (
	"crypto/subtle"
	"fmt"
	"time"

	"github.com/podpass-io/podpass/test/cloud/trust"
)

// refuseSecret says why a client secret does not authenticate app; 0: it does.
// https://learn.microsoft.com/entra/identity-platform/reference-error-codes
func (s *Server) refuseSecret(app trust.Application, value string) (int, string) {
	for _, secret := range app.Secrets {
		if subtle.ConstantTimeCompare([]byte(secret.Value), []byte(value)) != 1 {
			continue
		}
		if !secret.Ends.IsZero() && !time.Now().Before(secret.Ends) {
			return 7000222, fmt.Sprintf("The provided client secret keys for app '%s' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds.", app.ClientID)
		}
		s.Uses.Add(secret.ID)
		return 0, ""
	}
	return 7000215, fmt.Sprintf("Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '%s'.", app.ClientID)
}
