package statickeys

import "net/url"

// The variables that AWS' SDKs read.
const (
	awsID     = "AWS_ACCESS_KEY_ID"
	awsSecret = "AWS_SECRET_ACCESS_KEY"
)

// envKey is the place of a variable in the container app.
func envKey(variable string) string { return "container app: env " + variable }

// awsVariables are keys of AWS that become variables of the environment.
func awsVariables() []draft {
	literal, secret, split, all, prefixed := newAWSKey(), newAWSKey(), newAWSKey(), newAWSKey(), newAWSKey()
	return []draft{
		{
			name: "env-literal", workload: "Deployment",
			pod:   pod{variables: []variable{{name: awsID, value: literal.id}, {name: awsSecret, value: literal.secret}, {name: "AWS_REGION", value: "eu-central-1"}}},
			found: literal.found(), key: envKey(awsSecret),
		},
		{
			name: "env-secret", workload: "StatefulSet", ownAccount: true, stringData: true,
			secret: map[string]string{"access-key-id": secret.id, "secret-access-key": secret.secret},
			pod:    pod{variables: []variable{{name: awsID, secretKey: "access-key-id"}, {name: awsSecret, secretKey: "secret-access-key"}}},
			found:  secret.found(), in: "Secret", key: "secret-access-key",
		},
		{
			name: "env-split", workload: "DaemonSet", ownAccount: true,
			configMap: map[string]string{"aws-access-key-id": split.id, "aws-region": "eu-central-1"},
			secret:    map[string]string{"aws-secret-access-key": split.secret},
			pod:       pod{variables: []variable{{name: awsID, configKey: "aws-access-key-id"}, {name: awsSecret, secretKey: "aws-secret-access-key"}}},
			found:     split.found(), in: "Secret", key: "aws-secret-access-key",
		},
		{
			name: "envfrom", workload: "Job",
			secret: map[string]string{awsID: all.id, awsSecret: all.secret, "AWS_DEFAULT_REGION": "eu-central-1", "LOG_LEVEL": "debug"},
			pod:    pod{envFrom: true},
			found:  all.found(), in: "Secret", key: awsSecret,
		},
		{
			name: "envfrom-prefix", workload: "CronJob",
			secret: map[string]string{"ACCESS_KEY_ID": prefixed.id, "SECRET_ACCESS_KEY": prefixed.secret},
			pod:    pod{envFrom: true, prefix: "AWS_"},
			found:  prefixed.found(), in: "Secret", key: "SECRET_ACCESS_KEY",
		},
	}
}

// awsFiles are keys of AWS that a container reads from a file.
func awsFiles() []draft {
	ini, profiles, config := newAWSKey(), newAWSKey(), newAWSKey()
	return []draft{
		{
			name: "ini-file", workload: "ReplicaSet", ownAccount: true,
			secret: map[string]string{"credentials": profile("default", ini.id, ini.secret)},
			pod:    pod{mount: mount{"/root/.aws", secretVolume}},
			found:  ini.found(), in: "Secret", key: "credentials",
		},
		{
			name: "ini-profiles", workload: "Deployment", stringData: true,
			secret: map[string]string{"profiles.ini": "[default]\nregion = eu-central-1\nrole_arn = arn:aws:iam::111122223333:role/orders\nsource_profile = deploy\n\n" +
				profile("deploy", profiles.id, profiles.secret) + "\n" + temporaryProfile("build")},
			pod:   pod{inInit: true, mount: mount{"/etc/orders", secretVolume}, variables: []variable{{name: "AWS_SHARED_CREDENTIALS_FILE", value: "/etc/orders/profiles.ini"}}},
			found: profiles.found(), in: "Secret", key: "profiles.ini",
		},
		{
			name: "json-config", workload: "ReplicationController",
			configMap: map[string]string{"config.json": indented(map[string]any{
				"listen":  ":8080",
				"storage": map[string]string{"type": "s3", "bucket": "orders", "accessKeyId": config.id, "secretAccessKey": config.secret},
			})},
			pod:   pod{mount: mount{"/etc/app", configMapVolume}},
			found: config.found(), in: "ConfigMap", key: "config.json",
		},
	}
}

// awsElsewhere are keys of AWS within other texts, and under other names.
func awsElsewhere() []draft {
	inURL, settings, args, annotated := newAWSKey(), newAWSKey(), newAWSKey(), newAWSKey()
	const annotation = "backup.example.com/s3-credentials"
	return []draft{
		{
			name: "connection-url", workload: "Pod",
			pod:   pod{variables: []variable{{name: "BACKUP_URL", value: "s3://" + inURL.id + ":" + url.QueryEscape(inURL.secret) + "@orders-backup/daily?region=eu-central-1"}}},
			found: inURL.found(), key: envKey("BACKUP_URL"),
		},
		{
			name: "s3-settings", workload: "PodTemplate", ownAccount: true,
			secret: map[string]string{"accessKey": settings.id, "secretKey": settings.secret},
			pod:    pod{variables: []variable{{name: "S3_ACCESS_KEY", secretKey: "accessKey"}, {name: "S3_SECRET_KEY", secretKey: "secretKey"}}},
			found:  settings.found(), in: "Secret", key: "secretKey",
		},
		{
			name: "arguments", workload: "Rollout",
			pod:   pod{args: []string{"serve", "--aws-access-key-id", args.id, "--aws-secret-access-key", args.secret}},
			found: args.found(), key: "container app: argument --aws-secret-access-key",
		},
		{
			name: "annotation", workload: "Cluster", ownAccount: true,
			pod: pod{annotations: map[string]string{
				annotation: indented(map[string]string{"accessKeyId": annotated.id, "secretAccessKey": annotated.secret}),
			}},
			found: annotated.found(), key: "annotation " + annotation,
		},
	}
}

// profile is one of a credentials file.
func profile(name, id, secret string) string {
	return "[" + name + "]\naws_access_key_id = " + id + "\naws_secret_access_key = " + secret + "\n"
}

// temporaryProfile is one that `aws sts assume-role` gave: no static key.
func temporaryProfile(name string) string {
	return profile(name, accessKeyID("ASIA", awsAccount), mixed64(30)) + "aws_session_token = " + sessionToken() + "\n"
}
