import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { beforeEach, test } from 'node:test';
import { exportJWK, SignJWT } from 'jose';
import type { Gate } from '../../src/access/index.ts';
import { Issuer } from '../../src/access/issuer.ts';
import type { KeySource } from '../../src/access/key-source.ts';
import { KeyRelay } from '../../src/access/relayed-keys.ts';
import { RemoteKeys } from '../../src/access/remote-keys.ts';
import { resolveLimits, silentLogger } from '../../src/kernel/index.ts';
import type { LineEnd } from '../support/line-pair.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { NOW_SECONDS, outcomeOf, testGate } from './access-fixture.ts';
import { Processes } from './processes.ts';

const PAIRS = [0, 1].map(() => generateKeyPairSync('ed25519'));

/** What the issuer says when it is asked next. */
let respond: () => Promise<string>;
let requests = 0;
/** How often the copy of the key set was written. */
let copies = 0;
beforeEach(() => {
  requests = 0;
  copies = 0;
});

async function keySet(...indexes: number[]): Promise<string> {
  const keys = indexes.map(async (index) => ({
    ...(await exportJWK(PAIRS[index].publicKey)),
    kid: `key-${index}`,
  }));
  return JSON.stringify({ keys: await Promise.all(keys) });
}

function token(index: number, kid = `key-${index}`): Promise<string> {
  return new SignJWT({ exp: NOW_SECONDS + 1_000_000 })
    .setProtectedHeader({ alg: 'EdDSA', kid })
    .sign(PAIRS[index].privateKey);
}

interface Server {
  readonly clock: ManualClock;
  readonly owner: Gate;
  readonly workers: readonly Gate[];
  /** What comes of a token in a process, with all that is said on its way. */
  outcome(gate: Gate, shown: string): Promise<string>;
  /** Lets all that is said arrive, and promises settle. */
  settle(): Promise<void>;
}

function server(workers: number): Server {
  const clock = new ManualClock();
  const remote = new RemoteKeys({
    name: 'app',
    url: 'http://issuer.example/jwks.json',
    clock,
    logger: silentLogger,
    limits: resolveLimits({ jwksCooldownMs: 10_000, jwksRefreshMs: 600_000 }),
    fetchText: () => {
      requests++;
      return respond();
    },
    copy: { read: () => null, write: () => void copies++ },
  });
  const gateWith = (keys: KeySource, line: LineEnd | null): Gate => {
    const rules = {
      name: 'app',
      algorithms: ['EdDSA'],
      issuer: undefined,
      audience: undefined,
      allow: {},
    } as const;
    const remoteKeys = new Map(line === null ? [['app', remote]] : []);
    return testGate({ clock, issuers: [new Issuer(rules, keys)], line, remoteKeys });
  };
  const processes = new Processes(gateWith(remote, null), (line) =>
    gateWith(new KeyRelay(line, silentLogger).keysOf('app'), line),
  );
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 10; turn++) {
      processes.deliver();
      await new Promise(setImmediate);
    }
  };
  return {
    clock,
    owner: processes.owner,
    workers: Array.from({ length: workers }, () => processes.start().gate),
    settle,
    async outcome(gate, shown) {
      const state = { outcome: '' };
      void outcomeOf(gate, shown).then((outcome) => {
        state.outcome = outcome;
      });
      while (state.outcome === '') await settle();
      return state.outcome;
    },
  };
}

test('an issuer is asked once for all processes, and only the owner keeps what it says', async () => {
  const text = await keySet(0);
  respond = async () => text;
  const { owner, workers, outcome, settle } = server(3);
  await settle();
  for (const gate of [owner, ...workers]) assert.equal(await outcome(gate, await token(0)), 'accepted');
  assert.deepEqual([requests, copies], [1, 1]);
});

test('a token with an unknown key makes the owner look again, as often as its rules allow', async () => {
  const [old, both] = [await keySet(0), await keySet(0, 1)];
  respond = async () => old;
  const { clock, workers, outcome, settle } = server(2);
  await settle();
  respond = async () => both;
  assert.equal(await outcome(workers[0], await token(1)), 'credential_invalid');
  assert.equal(requests, 1);
  clock.advance(10_000);
  assert.equal(await outcome(workers[0], await token(1)), 'accepted');
  assert.equal(await outcome(workers[1], await token(1)), 'accepted');
  assert.equal(requests, 2);
  for (let i = 0; i < 15; i++) {
    const gate = workers[i % 2];
    assert.equal(await outcome(gate, await token(1, `unknown-${i}`)), 'credential_invalid');
  }
  assert.equal(requests, 2);
});

test('workers hear of a set that is fetched regularly, without asking', async () => {
  const [both, only] = [await keySet(0, 1), await keySet(1)];
  respond = async () => both;
  const { clock, workers, outcome, settle } = server(2);
  await settle();
  respond = async () => only;
  clock.advance(600_000);
  await settle();
  for (const gate of workers) {
    assert.equal(await outcome(gate, await token(1)), 'accepted');
    assert.equal(await outcome(gate, await token(0)), 'credential_invalid');
  }
  assert.equal(requests, 2);
});

test('workers wait for an issuer that hangs no longer than the owner does', async () => {
  const hung = Promise.withResolvers<string>();
  respond = () => hung.promise;
  const { clock, workers, outcome, settle } = server(2);
  const shown = await token(0);
  const answers = workers.map((gate) => outcome(gate, shown));
  await settle();
  hung.reject(new Error('The time is over'));
  assert.deepEqual(await Promise.all(answers), ['issuer_unavailable', 'issuer_unavailable']);
  assert.equal(requests, 1);
  const text = await keySet(0);
  respond = async () => text;
  clock.advance(2000);
  await settle();
  for (const gate of workers) assert.equal(await outcome(gate, await token(0)), 'accepted');
});

test('a worker that starts while the issuer is away waits for what the owner hears', async () => {
  respond = async () => {
    throw new Error('Away');
  };
  const { workers, outcome } = server(1);
  assert.equal(await outcome(workers[0], await token(0)), 'issuer_unavailable');
});
