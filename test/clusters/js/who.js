// Says whom the API server sees, of each line: a context's name, or "load" to read the
// kubeconfig again. An answer is a line, too: JSON, or the client's error.

import { createInterface } from 'node:readline';
import { ApiException, AuthenticationV1Api, KubeConfig } from '@kubernetes/client-node';

let config;

function load() {
  config = new KubeConfig();
  config.loadFromDefault();
}

async function who(context) {
  config.setCurrentContext(context);
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
  return (await config.makeApiClient(AuthenticationV1Api).createSelfSubjectReview({ body })).status.userInfo;
}

load();
for await (const line of createInterface({ input: process.stdin })) {
  try {
    if (line === 'load') {
      load();
      console.log('{}');
    } else {
      console.log(JSON.stringify(await who(line)));
    }
  } catch (e) {
    if (!(e instanceof ApiException)) {
      throw e;
    }
    console.log(JSON.stringify({ code: e.code }));
  }
}
