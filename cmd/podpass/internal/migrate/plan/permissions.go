package plan

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/federation/statickey"
)

// permissions is the page that asks for what the old keys may, and says how each is ended.
func (d *draft) permissions() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Permissions of %s\n\n", d.Workload)
	a := d.ServiceAccount
	fmt.Fprintf(&b, "It runs as ServiceAccount %s/%s afterwards.\n", a.Namespace, a.Name)
	if len(a.Annotations) > 0 {
		b.WriteString("That asks for:\n\n")
		for _, key := range slices.Sorted(maps.Keys(a.Annotations)) {
			fmt.Fprintf(&b, "- `%s: %s`\n", key, a.Annotations[key])
		}
	}
	b.WriteString("\nWhat the old keys may do is not known here, and is not guessed. Look, and give the\nnew identity what the workload needs of it.\n")
	for _, c := range d.credentials {
		fmt.Fprintf(&b, "\n## %s\n\n", title(c))
		b.WriteString(strings.Trim(rights(c), "\n") + "\n")
		if users(c) > 1 {
			fmt.Fprintf(&b, "\n%d workloads use it: end it when none does any more.\n", users(c))
		}
		if text := ending(c); text != "" {
			b.WriteString("\nLast, when `podpass migrate apply` is done and the workload has run for a while:\n\n" + text + "\n")
		}
	}
	return b.Bytes()
}

// id is the credential's ID as an argument of a command; without one the reader's to fill in.
func id(c graph.Credential, instead string) string { return cmp.Or(c.ID, instead) }

// rights says how to see what a key may do.
func rights(c graph.Credential) string {
	switch c.Kind {
	case statickey.AWSAccessKey:
		return fmt.Sprintf(`Whose key it is, and what that user may do:

    aws iam get-access-key-last-used --access-key-id %s
    aws iam list-attached-user-policies --user-name USER
    aws iam list-user-policies --user-name USER
    aws iam list-groups-for-user --user-name USER

Attach the policies that the workload needs to its role. Buckets, queues and keys that
name the user in policies of their own have to name the role as well.`, id(c, "KEYID"))
	case statickey.AWSBedrockKey:
		return `An API key of Bedrock belongs to a user of IAM. What that may do:

    aws iam list-service-specific-credentials --all-users
    aws iam list-attached-user-policies --user-name USER

Attach what the workload needs to its role. An SDK that was given the key alone has to be
left to find its credentials itself.`
	case statickey.GCPServiceAccountKey:
		return fmt.Sprintf(`None are needed: the identity stays the service account
%s, with all that it may do. To see it:

    gcloud projects get-iam-policy %s --flatten=bindings --filter=bindings.members:serviceAccount:%s --format='table(bindings.role)'`,
			id(c, "EMAIL"), cmp.Or(c.Account, "PROJECT"), id(c, "EMAIL"))
	case statickey.GCPAuthorizedUser:
		return `The file is of a person, with all that this person may do. Ask them what it is used for,
and give the service account these roles alone. See what the person has:

    gcloud projects get-iam-policy PROJECT --flatten=bindings --filter=bindings.members:user:EMAIL --format='table(bindings.role)'`
	case statickey.GCPHMACKey:
		return fmt.Sprintf(`Whose key it is:

    gcloud storage hmac describe %s

Give the service account that takes its place the roles that this one has on the buckets.
With the new identity the application has to talk to Cloud Storage by its own API, or by
the S3 API with an OAuth token: signatures of S3 need an HMAC key.`, id(c, "ACCESSID"))
	case statickey.AzureClientSecret, statickey.AzureClientCertificate:
		return fmt.Sprintf(`None are needed: the application %s stays, with all
that it may do, and gets a federated credential. To see its roles:

    az role assignment list --all --assignee %s --output table`, id(c, "CLIENTID"), id(c, "CLIENTID"))
	case statickey.AzurePassword:
		return `It is the password of an account of a person or of a service. See its roles, and give the
new identity those that the workload needs:

    az role assignment list --all --assignee USER --output table`
	case statickey.AzureStorageKey, statickey.AzureSAS, statickey.AzureSharedAccessKey:
		return storageRights(c)
	case "":
		return "Whoever made it knows what it is of, and what it may do: ask them."
	default:
		return other(c)
	}
}

// storageRights names the roles to choose of: the key says which account, and not what of
// it the workload needs.
func storageRights(c graph.Credential) string {
	account := id(c, "ACCOUNT")
	if c.Kind == statickey.AzureSharedAccessKey {
		return fmt.Sprintf(`It lets into %s. Ask whoever owns the workload what it does there, and choose the role:
of Service Bus "Azure Service Bus Data Receiver", "... Sender" or "... Owner"; of Event Hubs
"Azure Event Hubs Data Receiver", "... Sender" or "... Owner"; of IoT Hub its own.

    az role assignment create --assignee CLIENTID --role ROLE --scope RESOURCE

The application has to be told the namespace's name in the place of a connection string.`, account)
	}
	return fmt.Sprintf(`It lets into the storage account %s:
an account's key with all rights, a SAS with those that it says in sp=. Ask whoever owns the workload what it does there, and choose the role:

- to read blobs "Storage Blob Data Reader", to write them "Storage Blob Data Contributor",
  with ownership and ACLs "Storage Blob Data Owner"
- for queues "Storage Queue Data Reader", "... Contributor", "... Message Processor" or
  "... Message Sender"
- for tables "Storage Table Data Reader" or "... Contributor"
- for file shares over REST "Storage File Data Privileged Reader" or "... Contributor"; a
  mounted share (SMB, NFS) is not the pod's, and needs its own way

    az role assignment create --assignee CLIENTID --role ROLE --scope RESOURCE

The application has to be told the account's address in the place of the key.`, account)
}

// ending says how a key is disabled, and later deleted, at its cloud.
func ending(c graph.Credential) string {
	switch c.Kind {
	case statickey.AWSAccessKey:
		return fmt.Sprintf(`    aws iam get-access-key-last-used --access-key-id %[1]s
    aws iam update-access-key --user-name USER --access-key-id %[1]s --status Inactive
    aws iam delete-access-key --user-name USER --access-key-id %[1]s

Wait for some days between the second and the third: Inactive can be taken back.`, id(c, "KEYID"))
	case statickey.AWSBedrockKey:
		return `    aws iam update-service-specific-credential --user-name USER --service-specific-credential-id ID --status Inactive
    aws iam delete-service-specific-credential --user-name USER --service-specific-credential-id ID`
	case statickey.GCPServiceAccountKey:
		return fmt.Sprintf(`    gcloud iam service-accounts keys disable %[1]s --iam-account %[2]s
    gcloud iam service-accounts keys delete %[1]s --iam-account %[2]s

Wait for some days between the two: keys enable takes the first back.`, cmp.Or(c.KeyID, "KEYID"), id(c, "EMAIL"))
	case statickey.GCPAuthorizedUser:
		return `Its owner takes it back: gcloud auth application-default revoke, or at
https://myaccount.google.com/permissions.`
	case statickey.GCPHMACKey:
		return fmt.Sprintf(`    gcloud storage hmac update %[1]s --deactivate
    gcloud storage hmac delete %[1]s

Wait for some days between the two: --activate takes the first back.`, id(c, "ACCESSID"))
	case statickey.AzureClientSecret, statickey.AzureClientCertificate:
		cert := ""
		if c.Kind == statickey.AzureClientCertificate {
			cert = " --cert"
		}
		return fmt.Sprintf(`    az ad app credential list --id %[1]s%[2]s
    az ad app credential delete --id %[1]s --key-id KEYID%[2]s

Entra cannot disable one and take it back: see in the application's sign-in logs that
nobody uses it.`, id(c, "CLIENTID"), cert)
	case statickey.AzurePassword:
		return "    az ad user update --id USER --account-enabled false"
	case statickey.AzureStorageKey:
		return fmt.Sprintf(`    az storage account update --name %[1]s --resource-group GROUP --allow-shared-key-access false
    az storage account keys renew --account-name %[1]s --resource-group GROUP --key primary

The first can be taken back; it also ends all SAS that a key has signed.`, id(c, "ACCOUNT"))
	case statickey.AzureSAS:
		return fmt.Sprintf(`    az storage account keys renew --account-name %s --resource-group GROUP --key primary

A SAS ends with the key that signed it, or with its stored access policy, or by itself.`, id(c, "ACCOUNT"))
	case statickey.AzureSharedAccessKey:
		return "Renew the keys of the authorization rule that it is of, first the one, later the other."
	case statickey.KubernetesToken:
		return "Delete the Secret that holds it."
	default:
		return ""
	}
}
