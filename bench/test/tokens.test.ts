import assert from 'node:assert/strict';
import { createHmac, createPublicKey, verify } from 'node:crypto';
import { test } from 'node:test';
import { manyTokens, TOKEN_ALGORITHMS, type TokenAlgorithm, tokenIssuer } from '../support/tokens.ts';

/** Whether the signature of a token is good, by the setting that a server is given. */
function isGenuine(token: string, algorithm: TokenAlgorithm, keySetting: string): boolean {
  const [header, payload, signature = ''] = token.split('.');
  const content = Buffer.from(`${header}.${payload}`);
  const setting = keySetting.slice(keySetting.indexOf(': ') + 2);
  if (algorithm === 'HS256')
    return createHmac('sha256', setting).update(content).digest('base64url') === signature;
  const key = createPublicKey(JSON.parse(setting) as string);
  const digest = algorithm === 'EdDSA' ? null : 'sha256';
  return verify(digest, content, { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'));
}

for (const algorithm of TOKEN_ALGORITHMS) {
  test(`tokens of ${algorithm} differ, have one length and are genuine`, async () => {
    const issuer = tokenIssuer(algorithm);
    const tokens = await manyTokens(issuer, 70);
    assert.equal(new Set(tokens).size, 70);
    assert.equal(new Set(tokens.map((token) => token.length)).size, 1);
    assert.ok(tokens.every((token) => isGenuine(token, algorithm, issuer.keySetting)));
    const stranger = tokenIssuer(algorithm);
    assert.equal(isGenuine(tokens[0]!, algorithm, stranger.keySetting), false);
  });
}
