package publish

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

var (
	bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	regionName = regexp.MustCompile(`^[a-z0-9-]{2,32}$`)
)

// openS3 needs two requests of S3, a GET and a PUT of one object, and no more than the
// SDK's signer for them, which the STS client brings along: S3's own client would add its
// transfer, endpoint and checksum machinery to a tool that writes two small files.
func openS3(u *url.URL, prefix string, client *http.Client, c Credentials) (Place, error) {
	opts, err := options(u, "region", "endpoint")
	if err != nil {
		return nil, err
	}
	if !bucketName.MatchString(u.Host) {
		return nil, fmt.Errorf("%q is not the name of a bucket", u.Host)
	}
	if c.AWSAccessKeyID == "" || c.AWSSecretAccessKey == "" {
		return nil, errors.New("no credentials for S3: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and AWS_SESSION_TOKEN where they are temporary")
	}
	endpoint := opts["endpoint"]
	region := cmp.Or(opts["region"], c.AWSRegion)
	if endpoint != "" {
		region = cmp.Or(region, "us-east-1") // what others that speak the protocol take
	}
	if !regionName.MatchString(region) {
		return nil, fmt.Errorf("no region of the bucket: s3://%s?region=REGION, or AWS_REGION", u.Host)
	}
	base, err := s3Base(endpoint, u.Host, region)
	if err != nil {
		return nil, err
	}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }) // S3 signs the path as it is sent
	return &store{
		name: "s3://" + strings.TrimSuffix(u.Host+"/"+prefix, "/"), prefix: prefix, client: client,
		url:     func(object string) string { return base + "/" + escape(object) },
		version: func(h http.Header) string { return h.Get("ETag") }, only: whole, describe: standard,
		authorize: func(r *http.Request, body []byte) error {
			sum := sha256.Sum256(body)
			hash := hex.EncodeToString(sum[:])
			r.Header.Set("X-Amz-Content-Sha256", hash)
			return signer.SignHTTP(r.Context(), awssdk.Credentials{
				AccessKeyID: c.AWSAccessKeyID, SecretAccessKey: c.AWSSecretAccessKey.Reveal(), SessionToken: c.AWSSessionToken.Reveal(),
			}, r, hash, "s3", region, time.Now())
		},
	}, nil
}

// s3Base is a bucket's address: AWS's own form, or, with an endpoint or where the name has
// a dot, which no certificate covers, the bucket as the path's beginning.
func s3Base(endpoint, bucket, region string) (string, error) {
	if endpoint != "" {
		e, err := url.Parse(endpoint)
		if err != nil || e.Scheme != "https" || e.Host == "" || strings.Trim(e.Path, "/") != "" || e.RawQuery != "" || e.User != nil {
			return "", fmt.Errorf("endpoint %q: want https://HOST", endpoint)
		}
		return "https://" + e.Host + "/" + bucket, nil
	}
	host := "s3." + region + ".amazonaws.com"
	if strings.HasPrefix(region, "cn-") {
		host += ".cn"
	}
	if strings.Contains(bucket, ".") {
		return "https://" + host + "/" + bucket, nil
	}
	return "https://" + bucket + "." + host, nil
}

// escape escapes an object's name but for its slashes.
func escape(object string) string { return (&url.URL{Path: object}).EscapedPath() }
