import { instance } from 'gcp-metadata';
import { Compute, GoogleAuth } from 'google-auth-library';
import { claims, firstEnv, version } from './result.js';

const sdk = version('google-auth-library');
const source = () => firstEnv('GOOGLE_APPLICATION_CREDENTIALS', 'GCE_METADATA_IP', 'GCE_METADATA_HOST');

// GCPCheck takes Application Default Credentials for an access token.
export class GCPCheck {
  sdk = sdk;
  source = source;
  #auth = new GoogleAuth({ scopes: 'https://www.googleapis.com/auth/cloud-platform' });

  async run(found, signal) {
    const client = await this.#auth.getClient();
    const { token } = await client.getAccessToken();
    if (client.credentials.expiry_date) found.expires = new Date(client.credentials.expiry_date);
    if (client instanceof Compute) {
      // From the metadata server, which also has a name.
      found.identity = await instance('service-accounts/default/email');
    }
    if (process.env.SDK_GCP_TOKENINFO) {
      found.identity = await tokenInfo(process.env.SDK_GCP_TOKENINFO, token, signal);
    }
  }
}

// tokenInfo asks the cloud whose access token this is. The token travels in the
// query, as Google's endpoint has it: the error must not show the URL.
async function tokenInfo(endpoint, token, signal) {
  const response = await connected(() => fetch(`${endpoint}?${new URLSearchParams({ access_token: token })}`, { signal }));
  if (!response.ok) throw new Error(`tokeninfo: status ${response.status} ${response.statusText}`);
  const { email, sub } = await response.json();
  if (!email && !sub) throw new Error('tokeninfo: the answer names nobody');
  return email ?? sub;
}

// connected repeats a request that found no connection, once: fetch gives up after ten
// seconds, in which a process on a busy node may not have run at all.
async function connected(request) {
  try {
    return await request();
  } catch (error) {
    if (error.cause?.code !== 'UND_ERR_CONNECT_TIMEOUT') throw error;
    return request();
  }
}

// IDTokenCheck takes an ID token for SDK_AUDIENCE.
export class IDTokenCheck {
  sdk = sdk;
  source = source;
  #auth = new GoogleAuth();

  async run(found) {
    const audience = process.env.SDK_AUDIENCE;
    if (!audience) throw new Error('SDK_AUDIENCE is not set');
    const client = await this.#auth.getIdTokenClient(audience);
    const token = claims(await client.idTokenProvider.fetchIdToken(audience));
    if (token.aud !== audience) throw new Error(`the ID token is for "${token.aud}", not for "${audience}"`);
    found.expires = new Date(token.exp * 1000);
    found.identity = token.email ?? token.sub;
  }
}
