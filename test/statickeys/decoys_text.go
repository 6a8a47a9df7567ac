package statickeys

// decoyText are texts of the length and the alphabet of a key, under names that say nothing
// of one.
func decoyText() []draft {
	short, long := mixed64(30), mixed64(64)
	commit, seed := hexText(20), hexText(32)
	bcrypt, digest := "$2b$12$"+text(53, upper+lower+digits+"./"), hexText(32)
	password := text(24, upper+lower+digits+"-_")
	return []draft{
		{
			name: "random-base64", workload: "Deployment", ownAccount: true,
			secret: map[string]string{"pepper": short, "cookie-seed": long},
			pod:    pod{variables: []variable{{name: "PEPPER", secretKey: "pepper"}, {name: "COOKIE_SEED", secretKey: "cookie-seed"}}},
			found:  found{secrets: []string{short, long}}, in: "Secret", key: "pepper",
		},
		{
			name: "random-hex", workload: "StatefulSet",
			configMap: map[string]string{"revision": commit},
			secret:    map[string]string{"seed": seed},
			pod:       pod{variables: []variable{{name: "GIT_COMMIT", configKey: "revision"}, {name: "SEED", secretKey: "seed"}}},
			found:     found{secrets: []string{seed}}, in: "Secret", key: "seed",
		},
		{
			name: "hash-bcrypt", workload: "DaemonSet",
			secret: map[string]string{"users": "admin:" + bcrypt + "\n"},
			pod:    pod{mount: mount{"/etc/nginx/auth", secretVolume}},
			found:  found{secrets: []string{bcrypt}}, in: "Secret", key: "users",
		},
		{
			name: "hash-sha256", workload: "Job",
			pod: pod{args: []string{"--verify", "sha256:" + digest}, annotations: map[string]string{"checksum/config": digest}},
			key: "container app: argument --verify",
		},
		{
			name: "placeholders", workload: "CronJob",
			pod: pod{variables: []variable{
				{name: awsID, value: "CHANGEME"}, {name: awsSecret, value: "${AWS_SECRET_ACCESS_KEY}"},
				{name: "AZURE_CLIENT_SECRET", value: "<your-key>"}, {name: "AZURE_STORAGE_KEY", value: "xxxxxxxxxxxxxxxx"},
			}},
			key: envKey(awsSecret),
		},
		{
			name: "uuids", workload: "ReplicaSet", ownAccount: true,
			pod: pod{variables: []variable{{name: azureTenant, value: uuid()}, {name: azureID, value: uuid()}, {name: "INSTALLATION_ID", value: uuid()}}},
			key: envKey(azureID),
		},
		{
			name: "database-password", workload: "ReplicationController",
			secret: map[string]string{"password": password, "url": "postgres://orders:" + password + "@db.example.com:5432/orders"},
			pod:    pod{variables: []variable{{name: "PGPASSWORD", secretKey: "password"}, {name: "DATABASE_URL", secretKey: "url"}}},
			found:  found{secrets: []string{password}}, in: "Secret", key: "password",
		},
	}
}
