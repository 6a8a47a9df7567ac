import { randomUUID } from 'node:crypto';
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { firstEnv, version } from './result.js';

// S3Check writes an object, reads it back, compares, and deletes it.
export class S3Check {
  sdk = version('@aws-sdk/client-s3');
  // Path style: a server without one DNS name per bucket.
  #client = new S3Client({ forcePathStyle: true });

  source() {
    return firstEnv('AWS_WEB_IDENTITY_TOKEN_FILE', 'AWS_CONTAINER_CREDENTIALS_FULL_URI', 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI');
  }

  async run(found, abortSignal) {
    const Bucket = process.env.SDK_S3_BUCKET;
    if (!Bucket) throw new Error('SDK_S3_BUCKET is not set');
    found.expires = (await this.#client.config.credentials()).expiration;

    const Key = `sdk-js-${randomUUID()}`;
    const Body = randomUUID();
    await this.#client.send(new PutObjectCommand({ Bucket, Key, Body }), { abortSignal });
    try {
      const got = await this.#client.send(new GetObjectCommand({ Bucket, Key }), { abortSignal });
      const read = await got.Body.transformToString();
      if (read !== Body) throw new Error(`s3://${Bucket}/${Key}: read ${read.length} characters, not the ${Body.length} written`);
    } finally {
      await this.#client.send(new DeleteObjectCommand({ Bucket, Key }), { abortSignal });
    }
    found.identity = `s3://${Bucket}/${Key}`;
  }
}
