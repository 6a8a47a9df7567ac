package token

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/podpass-io/podpass/cmd/podpass/internal/exit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/aws"
	"github.com/podpass-io/podpass/federation/azure"
	"github.com/podpass-io/podpass/federation/gcp"
	"github.com/podpass-io/podpass/federation/oidc"
)

// processCredentials is what AWS SDKs read of a credential_process.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
type processCredentials struct {
	Version         int
	AccessKeyID     string `json:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	Expiration      string
	AccountID       string `json:"AccountId,omitempty"`
}

func awsCommand(o *options) *cobra.Command {
	var role string
	cmd := subcommand(o, "aws", "AWS credentials", `Print AWS credentials of the ServiceAccount's role, as AWS SDKs read them of a
credential_process. With a chain of roles they are the last one's.`, func(ctx context.Context, s *session) error {
		if s.answer.AWS == nil {
			return s.missing("AWS", "eks.amazonaws.com/role-arn")
		}
		id := s.answer.AWS.Identity
		if role != "" {
			i := slices.IndexFunc(id.Others, func(r aws.NamedRole) bool { return r.Name == role })
			if i < 0 {
				return hint.New(fmt.Errorf("the ServiceAccount has no role of the name %q", role), "annotate it with podpass.io/aws-role-arn."+role)
			}
			id = id.Other(id.Others[i])
		}
		arn := id.RoleARN
		if n := len(id.Chain); n > 0 {
			arn = id.Chain[n-1]
		}
		got, err := s.clouds.AWS(id).Credentials().Exchange(ctx)
		if err != nil {
			return exit.Found(hint.Exchange(err))
		}
		out := processCredentials{
			Version: 1, AccessKeyID: got.AccessKeyID, SecretAccessKey: got.SecretAccessKey.Reveal(), SessionToken: got.Token.Reveal(),
			Expiration: federation.Timestamp(got.Expiry.Time()),
		}
		if a, err := aws.ParseRoleARN(arn); err == nil {
			out.AccountID = a.Account
		}
		return s.encode(out)
	})
	cmd.Flags().StringVar(&role, "role", "", "name of a further role, of the annotation podpass.io/aws-role-arn.NAME")
	return cmd
}

func gcpCommand(o *options) *cobra.Command {
	var scopes []string
	var audience string
	cmd := subcommand(o, "gcp", "a Google access token or ID token", `Print a Google access token of the ServiceAccount's identity: of the Google
service account that it impersonates, or the federated token under direct access.`, func(ctx context.Context, s *session) error {
		if s.answer.GCP == nil {
			return s.missing("Google Cloud", "iam.gke.io/gcp-service-account or cloud.google.com/workload-identity-provider")
		}
		c := s.clouds.GCP(s.answer.GCP.Identity)
		if audience != "" {
			got, err := c.IDToken(audience).Exchange(ctx)
			if err != nil {
				return exit.Found(hint.Exchange(err))
			}
			return s.print(bearer{IDToken: got.Token.Reveal(), TokenType: "Bearer", ExpiresOn: got.Expiry.Time(), Principal: got.Principal}, got.Token.Reveal())
		}
		return s.accessToken(ctx, c.AccessToken(scopes))
	})
	o.outputs(cmd)
	cmd.Flags().StringArrayVar(&scopes, "scope", nil, "OAuth scope; may be repeated (default "+gcp.CloudPlatform+")")
	cmd.Flags().StringVar(&audience, "id-token", "", "print an ID token for this `audience` instead")
	cmd.MarkFlagsMutuallyExclusive("scope", "id-token")
	return cmd
}

func azureCommand(o *options) *cobra.Command {
	var resource, clientID string
	cmd := subcommand(o, "azure", "an Azure access token", `Print an Azure access token of the ServiceAccount's application or managed
identity.`, func(ctx context.Context, s *session) error {
		if s.answer.Azure == nil {
			return s.missing("Azure", "azure.workload.identity/client-id")
		}
		c := s.clouds.Azure(s.answer.Azure.Identity)
		if clientID != "" {
			var ok bool
			if c, ok = c.For(clientID); !ok {
				return hint.New(fmt.Errorf("the ServiceAccount has no client ID %q", clientID), "list it in the annotation podpass.io/azure-other-clients")
			}
		}
		if resource == "" {
			resource = azure.ManagementResource(s.clouds.Settings.Azure.AuthorityHost)
		}
		return s.accessToken(ctx, c.AccessToken(strings.TrimSuffix(resource, "/.default"), ""))
	})
	o.outputs(cmd)
	cmd.Flags().StringVar(&resource, "resource", "", "resource of the token (default: Azure's management API)")
	cmd.Flags().StringVar(&clientID, "client-id", "", "one of several client IDs of the ServiceAccount")
	return cmd
}

func oidcCommand(o *options) *cobra.Command {
	var name string
	cmd := subcommand(o, "oidc", "an access token of an OAuth 2.0 server", `Print an access token of one of the ServiceAccount's token sources, which the
settings describe: see the chart value oidc.tokenSources.`, func(ctx context.Context, s *session) error {
		if s.answer.OIDC == nil || len(s.answer.OIDC.Sources) == 0 {
			return s.missing("any token source", "podpass.io/oidc-token-sources")
		}
		sources := s.answer.OIDC.Sources
		i := slices.IndexFunc(sources, func(source oidc.Source) bool { return source.Name == name || name == "" && len(sources) == 1 })
		if i < 0 {
			var names []string
			for _, source := range sources {
				names = append(names, source.Name)
			}
			return hint.New(fmt.Errorf("the ServiceAccount has no token source %q", name), "--source "+strings.Join(names, " or "))
		}
		return s.accessToken(ctx, s.clouds.OIDC(sources[i]).AccessToken())
	})
	o.outputs(cmd)
	cmd.Flags().StringVar(&name, "source", "", "`name` of the token source; needed if there are several")
	return cmd
}

func (s *session) accessToken(ctx context.Context, e federation.Exchanger) error {
	got, err := e.Exchange(ctx)
	if err != nil {
		return exit.Found(hint.Exchange(err))
	}
	return s.print(bearer{AccessToken: got.Token.Reveal(), TokenType: "Bearer", ExpiresOn: got.Expiry.Time(), Principal: got.Principal}, got.Token.Reveal())
}
