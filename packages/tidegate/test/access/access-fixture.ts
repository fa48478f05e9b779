import { Certificates } from '../../src/access/certificates.ts';
import { Gate, type GateOptions, hashOfKey, type Identity, NO_RULES } from '../../src/access/index.ts';
import type { Issuer } from '../../src/access/issuer.ts';
import type { KeyOptions } from '../../src/access/options.ts';
import { Tokens } from '../../src/access/tokens.ts';
import type { Channels } from '../../src/channels/index.ts';
import { type Clock, noMetrics, resolveLimits, type TidegateError } from '../../src/kernel/index.ts';

/** The time at which all tests of access begin, in seconds. */
export const NOW_SECONDS = Date.UTC(2026, 0, 1) / 1000;

const noChannels: Channels = {
  publish() {},
  reach: (_channels, _footing, ready) => ready(),
  subscribe() {
    throw new Error('Nobody subscribes here');
  },
  drain() {},
};

interface GateSettings extends Partial<GateOptions> {
  readonly clock: Clock;
  readonly issuers?: readonly Issuer[];
  readonly keys?: Readonly<Record<string, KeyOptions>>;
}

/** A gate that asks for credentials. */
export function testGate({ clock, issuers = [], keys = {}, ...others }: GateSettings): Gate {
  return new Gate({
    channels: noChannels,
    clock,
    limits: resolveLimits(),
    metrics: noMetrics,
    tokens: new Tokens(clock, issuers),
    certificates: new Certificates({}),
    anonymous: null,
    openWithoutCredentials: false,
    closed: () => {},
    rules: { ...NO_RULES, keys: new Map(Object.entries(keys)) },
    ...others,
  });
}

/** The options of a key that is `secret`. */
export function keyOf(secret: string, allow: KeyOptions['allow'] = { '#': ['publish'] }): KeyOptions {
  return { hash: hashOfKey(secret), allow };
}

export function verify(
  gate: Gate,
  credential: string,
  from = '192.0.2.1',
): Promise<Identity | TidegateError> {
  return new Promise((resolve) => gate.verify(credential, from, resolve));
}

/** The code of the refusal; `accepted` if there is none. */
export async function outcomeOf(gate: Gate, credential: string, from?: string): Promise<string> {
  const result = await verify(gate, credential, from);
  return 'code' in result ? result.code : 'accepted';
}
