import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TidegateError } from '../../../src/kernel/index.ts';
import {
  acceptHandshake,
  acceptKey,
  type Handshake,
  type HandshakeOptions,
} from '../../../src/wire/websocket/index.ts';

const GOOD: Record<string, string | string[]> = {
  host: 'server.example.com',
  upgrade: 'websocket',
  connection: 'Upgrade',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'sec-websocket-version': '13',
};
const OPTIONS: HandshakeOptions = { subprotocols: ['b', 'c'], compression: 'deflate' };

interface Changes {
  readonly method?: string;
  readonly minorVersion?: number;
  readonly headers?: Record<string, string | string[]>;
}

function accept(changes: Changes = {}, options: Partial<HandshakeOptions> = {}): Handshake {
  const { method = 'GET', minorVersion = 1 } = changes;
  const fields = { ...GOOD, ...changes.headers };
  const headers = { all: (name: string) => [fields[name] ?? []].flat() };
  return acceptHandshake({ method, minorVersion, headers }, { ...OPTIONS, ...options });
}

const extensions = (...offers: string[]): string | null =>
  accept({ headers: { 'sec-websocket-extensions': offers } }).headers['sec-websocket-extensions'] ?? null;

const BOTH = 'permessage-deflate; server_no_context_takeover; client_no_context_takeover';

describe('The WebSocket handshake', () => {
  it('is answered with the proof of RFC 6455, section 1.3', () => {
    assert.equal(acceptKey('dGhlIHNhbXBsZSBub25jZQ=='), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
    assert.deepEqual(accept().headers, {
      upgrade: 'websocket',
      'sec-websocket-accept': 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
    });
  });

  it('takes tokens in any case and among others', () => {
    accept({ headers: { upgrade: 'WebSocket', connection: 'keep-alive, Upgrade' } });
    accept({ headers: { upgrade: ['h2c', 'websocket'], connection: ['keep-alive', 'upgrade'] } });
  });

  const faults: [fault: string, changes: Changes][] = [
    ['another method', { method: 'POST' }],
    ['HTTP/1.0', { minorVersion: 0 }],
    ['no Upgrade', { headers: { upgrade: [] } }],
    ['another Upgrade', { headers: { upgrade: 'h2c' } }],
    ['no Connection: Upgrade', { headers: { connection: 'keep-alive' } }],
    ['a word that contains upgrade', { headers: { connection: 'no-upgrade' } }],
    ['another version', { headers: { 'sec-websocket-version': '8' } }],
    ['two versions', { headers: { 'sec-websocket-version': ['13', '13'] } }],
    ['no version', { headers: { 'sec-websocket-version': [] } }],
    ['no key', { headers: { 'sec-websocket-key': [] } }],
    ['a short key', { headers: { 'sec-websocket-key': 'dGhlIHNhbXBsZQ==' } }],
    ['a key that is not base64', { headers: { 'sec-websocket-key': '!!!!!!!!!!!!!!!!!!!!!!==' } }],
    [
      'two keys',
      { headers: { 'sec-websocket-key': ['dGhlIHNhbXBsZSBub25jZQ==', 'dGhlIHNhbXBsZSBub25jZQ=='] } },
    ],
    ['a subprotocol that is no token', { headers: { 'sec-websocket-protocol': 'a b' } }],
    ['a subprotocol twice', { headers: { 'sec-websocket-protocol': ['a', 'a'] } }],
    ['malformed extensions', { headers: { 'sec-websocket-extensions': 'permessage-deflate;' } }],
    ['extensions with a bad value', { headers: { 'sec-websocket-extensions': 'a; b="c d"' } }],
    ['extensions with an open quote', { headers: { 'sec-websocket-extensions': 'a; b="c' } }],
    ['an empty list of extensions', { headers: { 'sec-websocket-extensions': '' } }],
  ];
  for (const [fault, changes] of faults) {
    it(`is refused with ${fault}`, () => {
      assert.throws(
        () => accept(changes),
        (error) => error instanceof TidegateError && error.code === 'upgrade_invalid',
      );
    });
  }

  it("chooses the client's first subprotocol that the server speaks, and none that was not offered", () => {
    const chosen = (...offered: string[]): string | null =>
      accept({ headers: { 'sec-websocket-protocol': offered } }).headers['sec-websocket-protocol'] ?? null;
    assert.equal(chosen('a, c, b'), 'c');
    assert.equal(chosen('a', 'b'), 'b');
    assert.equal(chosen('a'), null);
    assert.equal(accept().subprotocol, null);
  });
});

describe('The negotiation of permessage-deflate (RFC 7692)', () => {
  it('keeps no context on either side', () => {
    assert.equal(extensions('permessage-deflate'), BOTH);
    assert.equal(extensions('permessage-deflate; client_no_context_takeover'), BOTH);
    assert.equal(extensions('permessage-deflate; server_no_context_takeover; client_max_window_bits'), BOTH);
    assert.equal(extensions('permessage-deflate; client_max_window_bits=8'), BOTH);
    assert.equal(extensions('permessage-deflate; client_max_window_bits="10"'), BOTH);
  });

  it('keeps to the window that the client asks for', () => {
    const handshake = accept({
      headers: { 'sec-websocket-extensions': 'permessage-deflate ; server_max_window_bits = 10' },
    });
    assert.equal(handshake.deflate?.windowBits, 10);
    assert.equal(handshake.headers['sec-websocket-extensions'], `${BOTH}; server_max_window_bits=10`);
    assert.equal(
      accept({ headers: { 'sec-websocket-extensions': 'permessage-deflate' } }).deflate?.windowBits,
      15,
    );
  });

  const declined = [
    'permessage-deflate; server_max_window_bits=8',
    'permessage-deflate; server_max_window_bits=16',
    'permessage-deflate; server_max_window_bits=010',
    'permessage-deflate; server_max_window_bits',
    'permessage-deflate; client_max_window_bits=7',
    'permessage-deflate; server_no_context_takeover=true',
    'permessage-deflate; client_no_context_takeover; client_no_context_takeover',
    'permessage-deflate; unheard_of',
    'permessage-bzip2',
  ];
  for (const offer of declined) {
    it(`declines ${offer}`, () => {
      assert.equal(extensions(offer), null);
    });
  }

  it('takes the first offer that it can keep', () => {
    const hopeless = 'permessage-deflate; server_max_window_bits=8';
    assert.equal(
      extensions(`${hopeless}, permessage-deflate; server_max_window_bits=9, permessage-deflate`),
      `${BOTH}; server_max_window_bits=9`,
    );
    assert.equal(extensions(hopeless, 'permessage-deflate'), BOTH);
  });

  it('agrees to nothing if compression is off', () => {
    const headers = { 'sec-websocket-extensions': 'permessage-deflate' };
    assert.equal(accept({ headers }, { compression: 'none' }).deflate, null);
  });
});
