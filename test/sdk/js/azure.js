import { DefaultAzureCredential } from '@azure/identity';
import { claims, firstEnv, version } from './result.js';

// AzureCheck takes a token from DefaultAzureCredential and reads who it is for.
export class AzureCheck {
  sdk = version('@azure/identity');
  #credential = new DefaultAzureCredential({
    // The SDK would otherwise ask Microsoft whether the authority is known, which
    // a private cloud's, or a test's, is not.
    disableInstanceDiscovery: process.env.SDK_AZURE_PRIVATE_AUTHORITY === '1',
  });

  source() {
    return firstEnv('AZURE_FEDERATED_TOKEN_FILE', 'IDENTITY_ENDPOINT', 'AZURE_POD_IDENTITY_AUTHORITY_HOST');
  }

  async run(found, abortSignal) {
    const scope = process.env.SDK_AZURE_SCOPE || 'https://management.azure.com/.default';
    const { token, expiresOnTimestamp } = await this.#credential.getToken(scope, { abortSignal });
    found.expires = new Date(expiresOnTimestamp);
    const { appid, tid } = claims(token);
    found.identity = `appid=${appid} tid=${tid}`;
  }
}
