// Shows what unmodified JavaScript cloud SDKs make of their environment: the twin
// of ../go, with the same command line, the same variables (see ../go/main.go) and
// the same output.
//
//   node main.js aws|gcp|gcp-idtoken|azure|s3|all [--timeout 20s] [--repeat 5s]

import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

// The SDK of a check is loaded with it: a pod that uses one cloud loads one SDK.
const checks = {
  aws: async () => new (await import('./aws.js')).AWSCheck(),
  gcp: async () => new (await import('./gcp.js')).GCPCheck(),
  'gcp-idtoken': async () => new (await import('./gcp.js')).IDTokenCheck(),
  azure: async () => new (await import('./azure.js')).AzureCheck(),
  s3: async () => new (await import('./s3.js')).S3Check(),
};

function usage() {
  console.error(`usage: sdk-js ${Object.keys(checks).join('|')}|all [--timeout 20s] [--repeat 5s]`);
  process.exit(2);
}

// milliseconds reads the durations that both twins accept: 500ms, 20s, 2m, 0.
function milliseconds(text) {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(text) ?? usage();
  if (unit === undefined && Number(number) !== 0) usage();
  return Number(number) * { ms: 1, s: 1000, m: 60_000 }[unit ?? 's'];
}

function commandLine() {
  try {
    const { positionals, values } = parseArgs({
      allowPositionals: true,
      options: {
        timeout: { type: 'string', default: '20s' },
        repeat: { type: 'string', default: '0' },
      },
    });
    const [name] = positionals;
    if (positionals.length !== 1 || (name !== 'all' && !(name in checks))) usage();
    return { name, timeout: milliseconds(values.timeout), repeat: milliseconds(values.repeat) };
  } catch {
    usage();
  }
}

// configured lists what "all" means: the three clouds, and what the environment
// gives the parameters for.
function configured() {
  const names = ['aws', 'gcp', 'azure'];
  if (process.env.SDK_AUDIENCE) names.push('gcp-idtoken');
  if (process.env.SDK_S3_BUCKET) names.push('s3');
  return names;
}

async function measure(name, check, timeout) {
  const began = Date.now();
  const signal = AbortSignal.timeout(timeout);
  const tooLate = new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error(`no answer within ${timeout} ms`)));
  });
  const found = {};
  let error;
  try {
    await Promise.race([check.run(found, signal), tooLate]);
  } catch (e) {
    error = text(e);
  }
  return {
    cloud: name,
    sdk: check.sdk,
    ok: error === undefined,
    identity: found.identity,
    source: check.source() || undefined,
    expires: found.expires && `${found.expires.toISOString().slice(0, 19)}Z`,
    elapsedMillis: Date.now() - began,
    error,
  };
}

// text is an error as an application's log would show it: with its causes.
function text(error) {
  return error?.cause instanceof Error ? `${error}; cause: ${text(error.cause)}` : String(error);
}

process.on('SIGTERM', () => process.exit());
process.on('SIGINT', () => process.exit());

const { name, timeout, repeat } = commandLine();
const running = new Map();
for (const n of name === 'all' ? configured() : [name]) running.set(n, await checks[n]());

for (;;) {
  for (const [n, check] of running) {
    const result = await measure(n, check, timeout);
    if (!result.ok) process.exitCode = 1;
    console.log(JSON.stringify(result));
  }
  if (repeat === 0) break;
  await sleep(repeat);
}
// An SDK that is still trying in the background must not keep us.
process.exit();
