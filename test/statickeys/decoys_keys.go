package statickeys

import "net/url"

// decoyKeys have the shape of a cloud's static key, and are none.
func decoyKeys() []draft {
	temporary := awsKey{accessKeyID("ASIA", awsAccount), mixed64(30)}
	session := sessionToken()
	// The pair of AWS' documentation, in parts, so that no scanner takes it for one.
	example := awsKey{"AKIAIOSFODNN7" + "EXAMPLE", "wJalrXUtnFEMI/" + "K7MDENG/" + "bPxRfiCY" + "EXAMPLEKEY"}
	oauth := "ya29." + text(200, urlSafe)
	signature := mixed64(32)
	placeholder := "-----BEGIN " + "PRIVATE KEY-----\nYOUR_PRIVATE_KEY\n-----END " + "PRIVATE KEY-----\n"
	return []draft{
		{
			name: "aws-example", workload: "Pod",
			secret: map[string]string{awsID: example.id, awsSecret: example.secret},
			pod:    pod{envFrom: true},
			in:     "Secret", key: awsSecret,
		},
		{
			name: "aws-temporary", workload: "PodTemplate", ownAccount: true,
			secret: map[string]string{awsID: temporary.id, awsSecret: temporary.secret, "AWS_SESSION_TOKEN": session},
			pod:    pod{envFrom: true},
			found:  found{secrets: []string{temporary.secret, session}}, in: "Secret", key: awsSecret,
		},
		{
			name: "aws-id-alone", workload: "Rollout",
			pod: pod{variables: []variable{{name: awsID, value: newAWSKey().id}}},
			key: envKey(awsID),
		},
		{
			name: "azurite", workload: "Cluster",
			pod: pod{variables: []variable{{name: "AZURE_STORAGE_CONNECTION_STRING", value: "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=" +
				azurite + ";BlobEndpoint=http://azurite:10000/devstoreaccount1;"}}},
			key: envKey("AZURE_STORAGE_CONNECTION_STRING"),
		},
		{
			name: "signed-url", workload: "Deployment",
			configMap: map[string]string{"download-url": "https://downloads.example.com/app.tar.gz?expires=1893456000&sig=" + url.QueryEscape(signature)},
			pod:       pod{variables: []variable{{name: "DOWNLOAD_URL", configKey: "download-url"}}},
			found:     found{secrets: []string{signature}}, in: "ConfigMap", key: "download-url",
		},
		{
			name: "google-external", workload: "StatefulSet", ownAccount: true,
			configMap: map[string]string{"key.json": indented(map[string]any{
				"type":               "external_account",
				"audience":           "//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/shop/providers/cluster",
				"subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
				"token_url":          "https://sts.googleapis.com/v1/token",
				"credential_source":  map[string]string{"file": "/var/run/secrets/tokens/gcp"},
			})},
			pod: pod{mount: mount{"/etc/google", configMapVolume}, variables: []variable{{name: googleFile, value: "/etc/google/key.json"}}},
			in:  "ConfigMap", key: "key.json",
		},
		{
			name: "google-placeholder", workload: "DaemonSet",
			secret: map[string]string{"key.json": serviceAccountFile("your-account@"+googleProject+".iam.gserviceaccount.com", placeholder)},
			pod:    pod{mount: mount{"/etc/google", secretVolume}, variables: []variable{{name: googleFile, value: "/etc/google/key.json"}}},
			in:     "Secret", key: "key.json",
		},
		inSecret("google-access-token", "Job", "GOOGLE_OAUTH_ACCESS_TOKEN", oauth),
	}
}

// azurite is the key of the storage emulator's account, the same everywhere, in parts too.
// https://learn.microsoft.com/azure/storage/common/storage-connect-azurite
const azurite = "Eby8vdM02xNOcqFlqUwJPLlm" + "EtlCDXJ1OUzFT50uSRZ6IFsu" + "Fq2UVErCz4I6tq/K1SZF" + "PTOtr/KBHBeksoGMGw=="

// inSecret is a decoy of one value, in a Secret under the variable's name.
func inSecret(name, workload, key, value string) draft {
	return draft{
		name: name, workload: workload,
		secret: map[string]string{key: value},
		pod:    pod{variables: []variable{{name: key, secretKey: key}}},
		found:  found{secrets: []string{value}}, in: "Secret", key: key,
	}
}
