import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { beforeEach } from 'node:test';
import { SignJWT } from 'jose';
import type { Gate, GateOptions, Identity } from '../../src/access/index.ts';
import { Issuer } from '../../src/access/issuer.ts';
import { fixedKeys } from '../../src/access/key-source.ts';
import type { KeyOptions, LimitOptions } from '../../src/access/options.ts';
import type { Channels } from '../../src/channels/index.ts';
import { type Metrics, noMetrics, TidegateError } from '../../src/kernel/index.ts';
import { clock, eachTestHasAHub, hub, send } from '../support/hub-fixture.ts';
import { event, publish, TestSubscriber } from '../support/test-hub.ts';
import { keyOf, testGate, verify } from './access-fixture.ts';

const SECRET = Buffer.from('0123456789abcdef0123456789abcdef');

/** How often each limit was hit. */
export let hits: Record<string, number>;
export const metrics: Metrics = {
  ...noMetrics,
  counter: ({ name }, labels = []) => ({
    add(amount) {
      if (name === 'tidegate_limits_hit_total') hits[labels[0]] = (hits[labels[0]] ?? 0) + amount;
    },
  }),
};

/** Gives each test of the file a hub of its own, and has it count from zero. */
export function eachTestHasLimits(): void {
  beforeEach(() => {
    hits = {};
  });
  eachTestHasAHub();
}

export const key = (secret: string, limits?: LimitOptions): KeyOptions => ({
  ...keyOf(secret, { '#': ['publish', 'subscribe', 'history'] }),
  ...(limits === undefined ? {} : { limits }),
});

export function gateWith(keys: Record<string, KeyOptions>, others: Partial<GateOptions> = {}): Gate {
  return testGate({ clock, channels: hub, metrics, keys, ...others });
}

/** An issuer whose tokens `token` makes. */
export const issuer = (): Issuer =>
  new Issuer(
    {
      name: 'app',
      algorithms: ['HS256'],
      issuer: undefined,
      audience: undefined,
      allow: { '#': ['subscribe'] },
    },
    fixedKeys({ kind: 'key', key: SECRET }),
  );

export const token = (claims: Record<string, unknown>): Promise<string> =>
  new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(SECRET);

export async function identityOf(gate: Gate, credential: string): Promise<Identity> {
  const identity = await verify(gate, credential);
  assert.ok(!(identity instanceof TidegateError), String(identity));
  return identity;
}

export const channelsOf = async (gate: Gate, credential: string): Promise<Channels> =>
  gate.channelsFor(await identityOf(gate, credential));

export const refusedWith =
  (code: string) =>
  (error: unknown): boolean =>
    error instanceof TidegateError && error.code === code;

/** Publishes one text after another in one call; their codes, or `stored`. */
export async function outcomes(channels: Channels, ...data: string[]): Promise<string[]> {
  const answer = publish(channels, ...data.map((text) => event('a', text)));
  await clock.settle();
  return (await answer).map((outcome) => (outcome instanceof TidegateError ? outcome.code : 'stored'));
}

/** How many bytes one message takes on its way to a TestSubscriber. */
export async function frameBytes(): Promise<number> {
  const sizes: number[] = [];
  const sink = { write: (bytes: Buffer) => sizes.push(bytes.length) > 0, ended() {} };
  const from = { kind: 'latest' } as const;
  const encoder = TestSubscriber.encoder();
  const probe = hub.subscribe({ channels: ['p'], from, encoder, sink, slowPolicy: 'resume', protocol: 'x' });
  await clock.settle();
  await send('p', '0');
  probe.close();
  return sizes[0];
}
