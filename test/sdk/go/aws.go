package main

import (
	"context"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// awsCheck takes credentials from the default chain and asks STS who they are.
type awsCheck struct {
	awsSession
}

// awsSession is the SDK's default configuration, loaded once.
type awsSession struct {
	config *aws.Config
}

func (s *awsSession) describe() (sdk, source string) {
	return module("aws-sdk-go-v2/config", "github.com/aws/aws-sdk-go-v2/config"),
		// Static keys come first in the chain, and are nothing to show.
		firstEnv("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
}

// load takes no option, as an application that sets none; or one, the application's own key.
func (s *awsSession) load(ctx context.Context, r *result) (aws.Config, error) {
	if s.config == nil {
		own, err := ownAWSKey()
		if err != nil {
			return aws.Config{}, err
		}
		var options []func(*config.LoadOptions) error
		if own != nil {
			options = append(options, config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(own.ID, own.Secret, "")))
		}
		c, err := config.LoadDefaultConfig(ctx, options...)
		if err != nil {
			return aws.Config{}, err
		}
		s.config = &c
	}
	creds, err := s.config.Credentials.Retrieve(ctx)
	if err != nil {
		return aws.Config{}, err
	}
	if creds.CanExpire {
		r.setExpiry(creds.Expires)
	}
	return *s.config, nil
}

func (c *awsCheck) run(ctx context.Context, r *result) error {
	cfg, err := c.load(ctx, r)
	if err != nil || os.Getenv("SDK_WHOAMI") == "skip" {
		return err
	}
	return whoami(ctx, cfg, r)
}

func whoami(ctx context.Context, cfg aws.Config, r *result) error {
	who, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return err
	}
	r.Identity = aws.ToString(who.Arn)
	if r.Identity == "" {
		return fmt.Errorf("GetCallerIdentity gave no ARN")
	}
	return nil
}

// imdsCheck takes credentials from EC2's instance metadata service, version 2, where
// the environment says that it is.
type imdsCheck struct{}

func (c *imdsCheck) describe() (sdk, source string) {
	return module("aws-sdk-go-v2/feature/ec2/imds", "github.com/aws/aws-sdk-go-v2/feature/ec2/imds"), firstEnv("AWS_EC2_METADATA_SERVICE_ENDPOINT")
}

func (c *imdsCheck) run(ctx context.Context, r *result) error {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	cfg.Credentials = aws.NewCredentialsCache(ec2rolecreds.New(func(o *ec2rolecreds.Options) { o.Client = imds.NewFromConfig(cfg) }))
	creds, err := cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return err
	}
	r.setExpiry(creds.Expires)
	return whoami(ctx, cfg, r)
}
