package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// s3Check writes an object, reads it back, compares, and deletes it.
type s3Check struct {
	awsSession
}

func (c *s3Check) run(ctx context.Context, r *result) (err error) {
	bucket := os.Getenv("SDK_S3_BUCKET")
	if bucket == "" {
		return errors.New("SDK_S3_BUCKET is not set")
	}
	cfg, err := c.load(ctx, r)
	if err != nil {
		return err
	}
	// A server without one DNS name per bucket.
	client := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })

	key, text := "sdk-go-"+rand.Text(), []byte(rand.Text())
	if _, err := client.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader(text)}); err != nil {
		return err
	}
	defer func() {
		_, deleteErr := client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &bucket, Key: &key})
		err = errors.Join(err, deleteErr)
	}()
	got, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: aws.String(key)})
	if err != nil {
		return err
	}
	defer got.Body.Close()
	read, err := io.ReadAll(io.LimitReader(got.Body, 1<<10))
	if err != nil {
		return err
	}
	if !bytes.Equal(read, text) {
		return fmt.Errorf("s3://%s/%s: read %d bytes, not the %d written", bucket, key, len(read), len(text))
	}
	r.Identity = "s3://" + bucket + "/" + key
	return nil
}
