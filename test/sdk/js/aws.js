import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { firstEnv, version } from './result.js';

// AWSCheck takes credentials from the default chain and asks STS who they are.
export class AWSCheck {
  sdk = version('@aws-sdk/client-sts');
  #client = new STSClient();

  source() {
    // Static keys come first in the chain, and are nothing to show.
    return firstEnv('AWS_WEB_IDENTITY_TOKEN_FILE', 'AWS_CONTAINER_CREDENTIALS_FULL_URI', 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI');
  }

  async run(found, signal) {
    found.expires = (await this.#client.config.credentials()).expiration;
    if (process.env.SDK_WHOAMI === 'skip') return;
    const who = await this.#client.send(new GetCallerIdentityCommand({}), { abortSignal: signal });
    if (!who.Arn) throw new Error('GetCallerIdentity gave no ARN');
    found.identity = who.Arn;
  }
}
