import type { IssuerOptions } from '../access/options.ts';
import { isLoopback } from '../listeners/index.ts';
import { type ConfigPath, formatValue } from './problem.ts';
import type { ConfigFile } from './schema.ts';

type Complain = (path: ConfigPath, message: string, remedy: string) => void;

const SOURCES = ['secret', 'publicKey', 'jwksFile', 'jwksUrl'] as const;

/** What the schema cannot say about keys and issuers. */
export function checkAccess(content: ConfigFile, complain: Complain): void {
  for (const [name, key] of Object.entries(content.keys ?? {})) {
    checkAllow(['keys', name, 'allow'], key.allow, complain);
  }
  checkAllow(['access', 'anonymous'], content.access?.anonymous, complain);
  for (const [name, issuer] of Object.entries(content.access?.issuers ?? {})) {
    const path = ['access', 'issuers', name];
    checkAllow([...path, 'allow'], issuer.allow, complain);
    const given = SOURCES.filter((source) => issuer[source] !== undefined);
    if (given.length !== 1) {
      const message = given.length === 0 ? 'The issuer has no key' : `The issuer has ${given.join(' and ')}`;
      complain(path, message, `Write one of ${SOURCES.join(', ')}.`);
      continue;
    }
    if (issuer.jwksUrl !== undefined) checkKeysElsewhere(path, issuer.jwksUrl, issuer, complain);
    const isShared = given[0] === 'secret';
    for (const [index, algorithm] of issuer.algorithms.entries()) {
      if ((algorithm === 'HS256') === isShared) continue;
      // Whoever lets a public key verify HS256 lets everybody sign who can read that key.
      complain(
        [...path, 'algorithms', index],
        `${algorithm} is not verified with ${given[0]}`,
        isShared ? 'Write HS256.' : 'Write RS256, ES256 or EdDSA.',
      );
    }
  }
}

/** Keys that are fetched belong to somebody else, who signs for others too. */
function checkKeysElsewhere(
  path: ConfigPath,
  jwksUrl: string,
  { issuer, audience }: IssuerOptions,
  complain: Complain,
): void {
  const url = URL.canParse(jwksUrl) ? new URL(jwksUrl) : null;
  if (url === null) {
    complain(
      [...path, 'jwksUrl'],
      `${formatValue(jwksUrl)} is not a URL`,
      'Write one such as https://login.example.org/jwks.json.',
    );
  } else if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    complain(
      [...path, 'jwksUrl'],
      `Whoever is on the way to ${url.host} could put keys of their own in place of the issuer's`,
      'Write https://.',
    );
  }
  if (issuer !== undefined || audience !== undefined) return;
  complain(
    path,
    'Every token that is signed with the keys at jwksUrl would be believed, also those for other applications',
    'Write as audience what the claim aud of your tokens says; where they have none, as issuer what iss says.',
  );
}

function checkAllow(
  path: ConfigPath,
  allow: Readonly<Record<string, unknown>> | undefined,
  complain: Complain,
): void {
  for (const pattern of Object.keys(allow ?? {})) {
    const segments = pattern.split('/');
    const early = segments.indexOf('#');
    if (pattern === '') complain([...path, pattern], 'The pattern is empty', 'Write # for all channels.');
    else if (early !== -1 && early !== segments.length - 1)
      complain(
        [...path, pattern],
        `In ${formatValue(pattern)} the wildcard # is not the last segment`,
        'Write + for a segment in the middle.',
      );
  }
}
