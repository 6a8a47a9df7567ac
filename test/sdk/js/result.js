import { readFileSync } from 'node:fs';

// version names an installed package: "@azure/identity 4.14.1". The file is read
// rather than imported, since not every package exports it.
export function version(name) {
  for (const dir of ['./node_modules', '../node_modules']) {
    try {
      const { version } = JSON.parse(readFileSync(new URL(`${dir}/${name}/package.json`, import.meta.url)));
      return `${name} ${version}`;
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
    }
  }
  return name;
}

// firstEnv is the value of the first variable that is set, in the SDK's order.
export function firstEnv(...names) {
  return names.map((name) => process.env[name]).find(Boolean);
}

// claims reads a token's claims and does not verify: the token came from the SDK.
export function claims(jwt) {
  const parts = jwt.split('.');
  if (parts.length !== 3) throw new Error('the token is not a JWT');
  try {
    return JSON.parse(Buffer.from(parts[1], 'base64url'));
  } catch {
    throw new Error("the token's claims cannot be read"); // the parser's text would quote them
  }
}
