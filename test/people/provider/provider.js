// The company's identity provider: panva's oidc-provider, which is certified, over https,
// with a realm for each environment below one address.
//
//   node provider.js config.json
//
// The configuration names the certificate, and the clients of each realm. Accounts and
// lifetimes in seconds are in a file of their own, which is read each time: who leaves is
// taken out of it. The line "ready ADDRESS" says that it listens; what it issues or refuses
// is a line as well.

import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import Provider from 'oidc-provider';

const config = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const state = () => JSON.parse(readFileSync(config.state, 'utf8'));

// What an ID token says of a person, by the scope that asks for it. Entra and Google put
// the tenant into each token; so does this one.
const claims = {
  openid: ['sub', 'tid', 'hd'],
  profile: ['name'],
  email: ['email', 'email_verified'],
  groups: ['groups'],
};

function client({ id, ...more }) {
  return {
    client_id: id,
    application_type: 'native', // on a laptop: no secret, PKCE, and any port of the loopback address
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
    response_types: ['code'],
    redirect_uris: ['http://localhost:8000', 'http://127.0.0.1:8000'],
    ...more,
  };
}

function realm(issuer, { clients }) {
  const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });
  const provider = new Provider(issuer, {
    clients: clients.map(client),
    claims,
    scopes: ['openid', 'offline_access'],
    conformIdTokenClaims: false, // the API server reads the ID token alone, and no userinfo
    cookies: { keys: [config.cookieKey] },
    jwks: { keys: [{ ...key, alg: 'RS256', use: 'sig' }] },
    features: { deviceFlow: { enabled: true }, revocation: { enabled: true } },
    findAccount: (ctx, id) => {
      const account = state().accounts[id];
      return account && { accountId: id, claims: () => ({ sub: id, ...account }) };
    },
    ttl: {
      AccessToken: 300,
      DeviceCode: 300,
      Grant: 86400,
      IdToken: () => state().idTokenSeconds,
      Interaction: 300,
      RefreshToken: () => state().refreshTokenSeconds,
      Session: 86400,
    },
  });
  const say = (what) => (ctx, error) => console.log(what, issuer, ctx?.oidc?.params?.client_id, error ? `${error.error} ${error.error_detail ?? ''}` : '');
  provider.on('grant.success', (ctx) => console.log('granted', issuer, ctx.oidc.params.client_id, ctx.oidc.params.grant_type));
  for (const event of ['grant.error', 'authorization.error', 'device_authorization.error', 'server_error']) provider.on(event, say(event));
  return provider.callback();
}

const server = createServer({ cert: readFileSync(config.cert), key: readFileSync(config.key) });
server.listen(config.port, '127.0.0.1', () => {
  const base = `https://localhost:${server.address().port}`;
  const realms = Object.entries(config.realms).map(([name, r]) => [`/realms/${name}`, realm(`${base}/realms/${name}`, r)]);
  server.on('request', (request, response) => {
    const found = realms.find(([path]) => request.url.startsWith(`${path}/`));
    if (!found) {
      response.writeHead(404).end();
      return;
    }
    // What Express does for what is mounted below a path.
    request.originalUrl = request.url;
    request.url = request.url.slice(found[0].length);
    found[1](request, response);
  });
  console.log(`ready ${base}`);
});
