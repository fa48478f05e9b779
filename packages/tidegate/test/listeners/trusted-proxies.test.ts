import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { withCrossOrigin } from '../../src/listeners/index.ts';
import type { HttpHandler, HttpRequest } from '../../src/listeners/port.ts';
import { TrustedProxies } from '../../src/listeners/trusted-proxies.ts';
import { NO_OPENSSL } from '../support/certificates.ts';
import { ask, openSecureLab, openSession } from './http2-lab.ts';
import { openLab, problemCode, type Trust } from './lab.ts';

/** What a handler sees of where a request comes from. */
const seenOf = ({ remoteAddress, scheme, host, proxies }: HttpRequest): string =>
  `${remoteAddress} ${scheme} ${host} [${proxies.join(' ')}]`;

const tell: HttpHandler = (exchange) => exchange.respond(200, {}, seenOf(exchange.request));

const LOCAL: Trust = { trustedProxies: ['127.0.0.0/8', '10.0.0.0/8', '2001:db8::/32'] };
const FORWARDED: Trust = { ...LOCAL, trustedFields: ['forwarded'] };

/** What is seen of a request with these fields that comes from 127.0.0.1; the code of the problem if it is refused. */
async function seen(t: test.TestContext, trust: Trust, ...fields: readonly string[]): Promise<string> {
  const lab = await openLab(t, tell, {}, null, trust);
  const client = await lab.connect();
  client.send(['GET / HTTP/1.1', 'Host: own.example', 'Connection: close', ...fields, '', ''].join('\r\n'));
  const answer = await client.ended();
  return answer.startsWith('HTTP/1.1 200')
    ? answer.slice(answer.indexOf('\r\n\r\n') + 4)
    : problemCode(answer);
}

describe('Whoever is not trusted', () => {
  test('is not believed anything', async (t) => {
    const lies = [
      'X-Forwarded-For: 192.0.2.1',
      'X-Forwarded-Proto: https',
      'X-Forwarded-Host: evil.example',
      'Forwarded: for=192.0.2.1;host=evil.example;proto=https',
    ];
    const direct = '127.0.0.1 http own.example []';
    assert.equal(await seen(t, {}, ...lies), direct);
    for (const trustedFields of [['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host'], ['forwarded']])
      assert.equal(
        await seen(t, { trustedProxies: ['10.0.0.0/8'], trustedFields } as Trust, ...lies),
        direct,
      );
  });

  test('may send fields that make no sense', async (t) => {
    const trust: Trust = { trustedProxies: ['10.0.0.0/8'] };
    assert.match(await seen(t, trust, 'X-Forwarded-Proto: gopher'), /^127\.0\.0\.1 http/);
  });

  test('has no address on a connection without one, and is trusted by no range', () => {
    const everybody = TrustedProxies.of(['0.0.0.0/0', '::/0'], ['x-forwarded-for']);
    assert.equal(everybody?.include(''), false);
    assert.equal(TrustedProxies.of([], ['x-forwarded-for']), null);
  });
});

describe('A trusted proxy', () => {
  test('says whom it has a request from, and by which scheme', async (t) => {
    assert.equal(
      await seen(t, LOCAL, 'X-Forwarded-For: 192.0.2.1', 'X-Forwarded-Proto: https'),
      '192.0.2.1 https own.example [127.0.0.1]',
    );
    assert.equal(
      await seen(t, LOCAL, 'X-Forwarded-For: [2001:DB9::0:1]:4711', 'X-Forwarded-Proto: HTTP'),
      '2001:db9::1 http own.example [127.0.0.1]',
    );
    assert.equal(await seen(t, LOCAL), '127.0.0.1 http own.example []');
  });

  test('is believed only as to the fields that it is said to set', async (t) => {
    const fields = [
      'X-Forwarded-For: 192.0.2.1',
      'X-Forwarded-Proto: https',
      'X-Forwarded-Host: shop.example:8443',
      'Forwarded: for=192.0.2.2;host=b.example;proto=https',
    ];
    assert.equal(await seen(t, LOCAL, ...fields), '192.0.2.1 https own.example [127.0.0.1]');
    assert.equal(
      await seen(
        t,
        { ...LOCAL, trustedFields: ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host'] },
        ...fields,
      ),
      '192.0.2.1 https shop.example:8443 [127.0.0.1]',
    );
    assert.equal(
      await seen(t, { ...LOCAL, trustedFields: ['x-forwarded-proto'] }, ...fields),
      '127.0.0.1 https own.example []',
    );
    assert.equal(await seen(t, FORWARDED, ...fields), '192.0.2.2 https b.example [127.0.0.1]');
  });

  test('behind others is followed to the first address that is not trusted', async (t) => {
    assert.equal(
      await seen(
        t,
        LOCAL,
        'X-Forwarded-For: 203.0.113.9, 192.0.2.1, 2001:db8::7',
        'X-Forwarded-For: 10.0.0.2',
      ),
      '192.0.2.1 http own.example [2001:db8::7 10.0.0.2 127.0.0.1]',
    );
    // All are trusted: a machine of one's own asks.
    assert.equal(
      await seen(t, LOCAL, 'X-Forwarded-For: 10.0.0.9,,10.0.0.2'),
      '10.0.0.9 http own.example [10.0.0.2 127.0.0.1]',
    );
    assert.equal(
      await seen(
        t,
        FORWARDED,
        'Forwarded: for=203.0.113.9;proto=http;host=x, for=192.0.2.1;proto=https;host=shop.example',
        'Forwarded: for="10.0.0.2:1234";proto=http;host=inner',
      ),
      '192.0.2.1 https shop.example [10.0.0.2 127.0.0.1]',
    );
  });

  test('is known by an address of IPv4 that is mapped into IPv6', async (t) => {
    assert.equal(
      await seen(t, LOCAL, 'X-Forwarded-For: ::ffff:192.0.2.1, ::ffff:10.0.0.2'),
      '192.0.2.1 http own.example [10.0.0.2 127.0.0.1]',
    );
    assert.match(
      await seen(t, { trustedProxies: ['::ffff:127.0.0.1'] }, 'X-Forwarded-For: 192.0.2.1'),
      /^192\.0\.2\.1 /,
    );
  });

  test('that does not know its client stands for it, and what is before that is not looked at', async (t) => {
    assert.equal(
      await seen(t, LOCAL, 'X-Forwarded-For: 192.0.2.1, unknown, 10.0.0.2'),
      '10.0.0.2 http own.example [127.0.0.1]',
    );
    assert.equal(
      await seen(t, FORWARDED, 'Forwarded: for=192.0.2.1, for=_hidden;proto=https, for=10.0.0.2'),
      '10.0.0.2 https own.example [127.0.0.1]',
    );
    assert.equal(
      await seen(t, FORWARDED, 'Forwarded: for=192.0.2.1, proto=https'),
      '127.0.0.1 https own.example []',
    );
  });

  test('may call the scheme of a WebSocket by its own name', async (t) => {
    assert.match(await seen(t, LOCAL, 'X-Forwarded-Proto: wss'), / https /);
    assert.match(await seen(t, LOCAL, 'X-Forwarded-Proto: ws'), / http /);
  });

  test('that says what makes no sense, or two things, has its request refused', async (t) => {
    const trust: Trust = {
      ...LOCAL,
      trustedFields: ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host'],
    };
    for (const fields of [
      ['X-Forwarded-Proto: gopher'],
      ['X-Forwarded-Proto:'],
      ['X-Forwarded-Proto: http, https'],
      ['X-Forwarded-Proto: https', 'x-forwarded-proto: https'],
      ['X-Forwarded-Proto: constructor'],
      ['X-Forwarded-Host: a.example, b.example'],
      ['X-Forwarded-Host: a.example/b'],
      ['X-Forwarded-Host: user@a.example'],
      ['X-Forwarded-Host:'],
    ])
      assert.equal(await seen(t, trust, ...fields), 'proxy_fields_invalid', fields.join());
    for (const value of ['for="192.0.2.1', 'for=192.0.2.1;proto=gopher', 'for=192.0.2.1;host="a b"'])
      assert.equal(await seen(t, FORWARDED, `Forwarded: ${value}`), 'proxy_fields_invalid', value);
    // What nobody reads cannot be wrong: the client's own part of the way.
    assert.match(
      await seen(t, FORWARDED, 'Forwarded: for=a;proto=gopher, for=192.0.2.1'),
      /^192\.0\.2\.1 http/,
    );
  });

  test('has its connection kept after a refusal, and says something else with each request', async (t) => {
    const lab = await openLab(t, tell, {}, null, LOCAL);
    const client = await lab.connect();
    const get = (fields: string): string => `GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
    client.send(
      get('X-Forwarded-For: 192.0.2.1\r\n') +
        get('X-Forwarded-Proto: gopher\r\n') +
        get('X-Forwarded-For: 192.0.2.2\r\n') +
        get(''),
    );
    await client.take('192.0.2.1 http a [127.0.0.1]');
    assert.match(await client.take('proxy_fields_invalid'), /HTTP\/1\.1 400 /);
    await client.take('192.0.2.2 http a [127.0.0.1]');
    await client.take('127.0.0.1 http a []');
    assert.equal(lab.metric('tidegate_http_requests_total{GET,4xx}'), 1);
    assert.deepEqual(
      lab.logged.map(({ level, fields }) => [level, fields.code, fields.proxy]),
      [['debug', 'proxy_fields_invalid', '127.0.0.1']],
    );
  });

  test('passes WebSockets on', async (t) => {
    let handshake = '';
    const lab = await openLab(
      t,
      (exchange) => {
        handshake = seenOf(exchange.request);
        exchange.respond(403, {});
      },
      {},
      null,
      LOCAL,
    );
    const socket = new WebSocket(`ws://127.0.0.1:${lab.listener.port}/`, {
      headers: { host: 'a.example', 'x-forwarded-for': '192.0.2.1', 'x-forwarded-proto': 'https' },
    });
    await new Promise((resolve) => socket.on('error', resolve));
    assert.equal(handshake, '192.0.2.1 https a.example [127.0.0.1]');
  });

  test('has pages of the host that it is asked for let in, once it says that they came by TLS', async (t) => {
    const lab = await openLab(t, withCrossOrigin(tell, { origins: [] }), {}, null, {
      ...LOCAL,
      trustedFields: ['x-forwarded-proto', 'x-forwarded-host'],
    });
    const client = await lab.connect();
    const get = (host: string, ...fields: string[]): string =>
      ['GET / HTTP/1.1', 'Host: inner', `X-Forwarded-Host: ${host}`, ...fields, '', ''].join('\r\n');
    const page = 'Origin: https://rt.example';
    client.send(get('rt.example', page, 'X-Forwarded-Proto: https'));
    await client.take('127.0.0.1 https rt.example []');
    client.send(get('rt.example', page));
    await client.take('origin_forbidden');
    client.send(get('other.example', page, 'X-Forwarded-Proto: https'));
    await client.take('origin_forbidden');
  });
});

describe('Over HTTP/2', { skip: NO_OPENSSL }, () => {
  const fields = { ':path': '/', 'x-forwarded-for': '192.0.2.1, 10.0.0.2' };

  test('a trusted proxy is believed for each request', async (t) => {
    const session = await openSession(t, await openSecureLab(t, tell, {}, LOCAL));
    const answers = await Promise.all([
      ask(session, { ...fields, ':authority': 'a.example', 'x-forwarded-proto': 'http' }).answer(),
      ask(session, { ':path': '/', ':authority': 'b.example' }).answer(),
      ask(session, { ...fields, 'x-forwarded-proto': 'gopher' }).answer(),
    ]);
    assert.equal(answers[0].body, '192.0.2.1 http a.example [10.0.0.2 127.0.0.1]');
    assert.equal(answers[1].body, '127.0.0.1 https b.example []');
    assert.equal(answers[2].status, 400);
    assert.match(answers[2].body, /proxy_fields_invalid/);
  });

  test('whoever is not trusted is not believed', async (t) => {
    const lab = await openSecureLab(t, tell, {}, { trustedProxies: ['10.0.0.0/8'] });
    const session = await openSession(t, lab);
    const spoofed = { ...fields, ':authority': 'a.example', 'x-forwarded-proto': 'http' };
    assert.equal((await ask(session, spoofed).answer()).body, '127.0.0.1 https a.example []');
  });
});
