import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { beforeEach, describe, test } from 'node:test';
import type { Channels, PublishCallback, PublishedEvent } from '../../../src/channels/index.ts';
import { LinesPublish } from '../../../src/edges/publish/lines-session.ts';
import { resolveLimits, TidegateError } from '../../../src/kernel/index.ts';
import type { HttpExchange } from '../../../src/listeners/port.ts';

const LIMITS = resolveLimits({ publishStreamBytesMax: 64 * 1024 });

/** Everything that the session asks of others, in order. */
let said: string[];
/** Publishes that have not been answered. */
let publishes: { readonly events: readonly PublishedEvent[]; readonly done: PublishCallback }[];
let clientReads: boolean;
let session: LinesPublish;

beforeEach(() => {
  said = [];
  publishes = [];
  clientReads = true;
  const channels: Channels = {
    publish: (events, _protocol, done) => void publishes.push({ events, done }),
    subscribe: () => assert.fail('nothing is subscribed to'),
    reach: (_channels, _footing, ready) => ready(),
    drain() {},
  };
  const exchange = {
    request: {
      minorVersion: 0,
      body: { pause: () => said.push('pause'), resume: () => said.push('resume') },
    },
    fail: (error: TidegateError) => said.push(`fail ${error.code}`),
    converse: () => {
      said.push('begin');
      return {
        write(bytes: Buffer) {
          for (const line of bytes.toString().trimEnd().split('\n')) {
            const { id, error } = JSON.parse(line) as { id?: string; error?: { code: string } };
            said.push(id ?? error?.code ?? '');
          }
          return clientReads;
        },
        end: () => said.push('end'),
      };
    },
  } as unknown as HttpExchange;
  session = new LinesPublish(exchange, channels, LIMITS, { channel: null, form: 'shorthand' }, 128 * 1024);
});

function send(...ids: string[]): void {
  session.data(Buffer.from(ids.map((id) => `{"channel":"c","id":"${id}"}\n`).join('')));
}

/** The log has stored the events of a publish. */
function store(index: number): void {
  const { events, done } = publishes[index];
  done(
    events.map(({ channel, clientId }) => ({ channel, id: clientId ?? '', cursor: 'x', duplicate: false })),
  );
}

describe('An NDJSON stream of events', () => {
  test('begins its answer with the first bytes, not before', () => {
    assert.deepEqual(said, []);
    send('1');
    assert.deepEqual(said, ['begin']);
  });

  test('is published slice by slice, all lines of a slice together', () => {
    send('1', '2');
    send('3');
    assert.deepEqual(
      publishes.map(({ events }) => events.map(({ clientId }) => clientId)),
      [['1', '2'], ['3']],
    );
  });

  test('is answered in the order of its lines, whichever is stored first', () => {
    send('1');
    send('2', '3');
    send('4');
    store(1);
    assert.deepEqual(said, ['begin']);
    store(0);
    assert.deepEqual(said, ['begin', '1', '2', '3']);
    store(2);
    assert.deepEqual(said, ['begin', '1', '2', '3', '4']);
  });

  test('ends its answer once the last line is stored', () => {
    send('1');
    session.end();
    assert.deepEqual(said, ['begin']);
    store(0);
    assert.deepEqual(said, ['begin', '1', 'end']);
  });

  test('is not read while its client does not read the answers', () => {
    clientReads = false;
    send('1');
    store(0);
    assert.deepEqual(said, ['begin', '1', 'pause']);
    session.drained();
    assert.deepEqual(said, ['begin', '1', 'pause', 'resume']);
  });

  test('is not read while limits.publishStreamBytesMax of it wait for the log', () => {
    const padding = ' '.repeat(33_000);
    const slice = (id: string): Buffer => Buffer.from(`{"channel":"c","id":"${id}"${padding}}\n`);
    session.data(slice('1'));
    assert.deepEqual(said, ['begin']);
    session.data(slice('2'));
    assert.deepEqual(said, ['begin', 'pause']);
    store(0);
    assert.deepEqual(said, ['begin', 'pause', 'resume', '1']);
  });

  test('is read on only when neither reason holds', () => {
    clientReads = false;
    send('1');
    store(0);
    session.data(Buffer.from(`{"channel":"c","id":"2"${' '.repeat(66_000)}}\n`));
    assert.deepEqual(said, ['begin', '1', 'pause', 'pause']);
    session.drained();
    assert.deepEqual(said, ['begin', '1', 'pause', 'pause'], 'the log is still behind');
    clientReads = true;
    store(1);
    assert.deepEqual(said, ['begin', '1', 'pause', 'pause', 'resume', '2']);
  });

  test('that breaks off is answered to the end, and then with the reason', () => {
    send('1');
    session.failed(new TidegateError('http_request_timeout'));
    assert.deepEqual(said, ['begin']);
    store(0);
    assert.deepEqual(said, ['begin', '1', 'http_request_timeout', 'end']);
  });

  test('that breaks off before its first byte is answered with the error alone', () => {
    session.failed(new TidegateError('http_request_timeout'));
    assert.deepEqual(said, ['fail http_request_timeout']);
  });

  test('takes no more when the server shuts down, and says so after the answers', () => {
    send('1');
    session.draining();
    send('2');
    store(0);
    assert.deepEqual(publishes.length, 1);
    assert.deepEqual(said, ['begin', '1', 'draining', 'end']);
  });

  test('whose client has left says nothing more', () => {
    send('1');
    session.closed();
    store(0);
    assert.deepEqual(said, ['begin']);
  });

  test('of bad lines only is answered without a publish', () => {
    session.data(Buffer.from('x\n{}\n'));
    assert.deepEqual(publishes, []);
    assert.deepEqual(said, ['begin', 'json_malformed', 'event_invalid']);
  });
});
