package statickeys

import "encoding/base64"

// googleFile is the variable by which Google's libraries find a key file.
const googleFile = "GOOGLE_APPLICATION_CREDENTIALS"

func googleKeys() []draft {
	file, projected, encoded := newGoogleKey("orders"), newGoogleKey("reports"), newGoogleKey("terraform")
	encodedFile := base64.StdEncoding.EncodeToString([]byte(encoded.file))
	encodedFound := encoded.found()
	encodedFound.secrets = append(encodedFound.secrets, encodedFile)
	user, hmac := newAuthorizedUser(), newHMACKey()
	return []draft{
		{
			name: "google-file", workload: "StatefulSet", ownAccount: true,
			secret: map[string]string{"key.json": file.file},
			pod:    pod{mount: mount{"/var/secrets/google", secretVolume}, variables: []variable{{name: googleFile, value: "/var/secrets/google/key.json"}}},
			found:  file.found(), in: "Secret", key: "key.json",
		},
		{
			name: "google-projected", workload: "DaemonSet", ownAccount: true,
			secret: map[string]string{"credentials": projected.file},
			pod: pod{
				mount:     mount{"/var/run/orders", projectedVolume("credentials", "gcp.json")},
				variables: []variable{{name: googleFile, value: "/var/run/orders/gcp.json"}},
			},
			found: projected.found(), in: "Secret", key: "credentials",
		},
		{
			name: "google-base64", workload: "Deployment",
			secret: map[string]string{"google-credentials": encodedFile},
			pod:    pod{variables: []variable{{name: "GOOGLE_CREDENTIALS", secretKey: "google-credentials"}}},
			found:  encodedFound, in: "Secret", key: "google-credentials",
		},
		{
			name: "google-user", workload: "CronJob", ownAccount: true,
			configMap: map[string]string{"application_default_credentials.json": user.file()},
			pod:       pod{mount: mount{"/root/.config/gcloud", configMapVolume}},
			found:     user.found(), in: "ConfigMap", key: "application_default_credentials.json",
		},
		{
			name: "google-hmac", workload: "Rollout",
			pod:   pod{variables: []variable{{name: "GCS_ACCESS_KEY", value: hmac.id}, {name: "GCS_SECRET_KEY", value: hmac.secret}}},
			found: hmac.found(), key: envKey("GCS_SECRET_KEY"),
		},
	}
}
