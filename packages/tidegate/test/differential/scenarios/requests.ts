import { answerOf, askedOf, type Recording, signatureOf } from '../recording.ts';
import { differs, type Scenario } from '../scenario.ts';
import type { AskedRequest } from '../scripted-origin.ts';
import type { Stage } from '../stage.ts';

/** Says what the origin was asked first, whatever it answers. */
async function firstAsked(
  stage: Stage,
  headers: Record<string, string>,
  route = 'grip',
): Promise<AskedRequest> {
  stage.answers(200, { 'Content-Type': 'text/plain' }, 'fine');
  await stage.request(stage.path('/path?query=1', route), { headers });
  return stage.asked[0];
}

const field = (request: AskedRequest, name: string): Recording => {
  const value = request.headers[name];
  // The gateway's own name in Via is another with each start.
  return value === undefined ? null : String(value).replace(/tidegate-\w+/, 'tidegate');
};

const fields = (request: AskedRequest, ...names: string[]): Recording =>
  Object.fromEntries(names.map((name) => [name, field(request, name)]));

const featuresOf = ({ headers }: AskedRequest): Recording =>
  Object.fromEntries(
    String(headers['grip-feature'])
      .split(/, */)
      .map((feature) => [feature, 'named']),
  );

/** What Grip-Feature does not name in Pushpin, in the order of the field. */
const ONLY_HERE = ['link:gone', 'filter:http-check', 'filter:http-modify'].map(
  (feature) => [feature, null, 'named'] as const,
);

/** What the origin is asked: what becomes of the fields of clients, and what comes from the gateway. */
export const REQUESTS: readonly Scenario[] = [
  {
    name: 'standing fields of a request',
    async run(stage) {
      const request = await firstAsked(stage, { Host: 'app.example' });
      return {
        ...(fields(request, 'host', 'via', 'forwarded', 'x-forwarded-for', 'x-forwarded-host') as object),
        ...(fields(request, 'x-forwarded-proto', 'connection') as object),
        signature: signatureOf(request.headers['grip-sig']),
      };
    },
    differs: differs(
      'forwarded-fields',
      ['via', null, '1.1 tidegate'],
      ['forwarded', null, 'for=127.0.0.1;host=app.example;proto=http'],
      ['x-forwarded-for', null, '127.0.0.1'],
      ['x-forwarded-host', null, 'app.example'],
      ['x-forwarded-proto', null, 'http'],
    ),
  },
  {
    name: 'Grip-Feature names what can be done',
    run: async (stage) => featuresOf(await firstAsked(stage, {})),
    differs: differs('features', ['session', 'named', null], ...ONLY_HERE),
  },
  {
    name: 'Grip-Feature of a route with sessions',
    run: async (stage) => featuresOf(await firstAsked(stage, {}, 'sessions')),
    differs: differs('features', ...ONLY_HERE),
  },
  {
    name: 'fields of a client pass',
    async run(stage) {
      await firstAsked(stage, {
        Accept: 'text/plain',
        Authorization: 'Bearer x',
        Cookie: 'a=1; b=2',
        'If-None-Match': '"one"',
        'Last-Event-ID': '7',
        Origin: 'http://page.example',
        'User-Agent': 'test',
        'X-Custom': 'kept as it is',
      });
      return askedOf(stage.asked);
    },
  },
  {
    name: 'fields of one hop do not pass',
    run: async (stage) => {
      const request = await firstAsked(stage, {
        Connection: 'close, X-Hop',
        'Keep-Alive': 'timeout=5',
        'Proxy-Connection': 'close',
        TE: 'trailers',
        'X-Hop': 'for the gateway',
      });
      return fields(request, 'keep-alive', 'proxy-connection', 'te', 'x-hop');
    },
    differs: differs('hop-fields', ['proxy-connection', 'close', null], ['x-hop', 'for the gateway', null]),
  },
  {
    name: 'Accept-Encoding',
    run: async (stage) =>
      fields(await firstAsked(stage, { 'Accept-Encoding': 'gzip, br' }), 'accept-encoding'),
    differs: differs('encodings', ['accept-encoding', 'deflate, gzip, br, zstd', null]),
  },
  {
    name: 'Grip fields of a client do not pass',
    async run(stage) {
      const request = await firstAsked(stage, {
        'Grip-Sig': 'eyJhbGciOiJub25lIn0.e30.',
        'Grip-Last': 'news; last-id=1',
        'Grip-Hold': 'stream',
        'Grip-Session-Id': '1',
        'Grip-Anything': '1',
      });
      return {
        ...(fields(request, 'grip-last', 'grip-hold', 'grip-session-id', 'grip-anything') as object),
        signature: signatureOf(request.headers['grip-sig']),
      };
    },
  },
  {
    name: 'Meta fields of a client outside WebSockets',
    run: async (stage) =>
      fields(
        await firstAsked(stage, { 'Meta-User': 'root', 'Connection-Id': '1' }),
        'meta-user',
        'connection-id',
      ),
    differs: differs('meta-fields', ['meta-user', 'root', null], ['connection-id', '1', null]),
  },
  {
    name: 'forwarding fields of a client',
    run: async (stage) =>
      fields(
        await firstAsked(stage, {
          'X-Forwarded-For': '192.0.2.1',
          'X-Forwarded-Proto': 'https',
          'X-Forwarded-Host': 'other.example',
          Forwarded: 'for=192.0.2.1',
          Host: 'app.example',
          Via: '1.1 somebody',
        }),
        'x-forwarded-for',
        'x-forwarded-proto',
        'x-forwarded-host',
        'forwarded',
        'via',
      ),
    differs: differs(
      'forwarded-fields',
      ['x-forwarded-for', '192.0.2.1', '127.0.0.1'],
      ['x-forwarded-proto', null, 'http'],
      ['x-forwarded-host', 'other.example', 'app.example'],
      ['forwarded', 'for=192.0.2.1', 'for=127.0.0.1;host=app.example;proto=http'],
      ['via', '1.1 somebody', '1.1 somebody, 1.1 tidegate'],
    ),
  },
  {
    name: 'a route renames',
    async run(stage) {
      const request = await firstAsked(stage, {}, 'renamed');
      return {
        url: request.url,
        ...(fields(request, 'host', 'x-route') as object),
        signature: signatureOf(request.headers['grip-sig']),
      };
    },
    differs: differs('signing', [
      'signature',
      { typ: 'JWT', alg: 'HS256', iss: 'pushpin', hourAhead: true },
      'none',
    ]),
  },
  {
    name: 'a route that does not sign',
    async run(stage) {
      const request = await firstAsked(stage, {}, 'unsigned');
      return { signature: signatureOf(request.headers['grip-sig']) };
    },
    differs: differs('signing', [
      'signature',
      { typ: 'JWT', alg: 'HS256', iss: 'pushpin', hourAhead: true },
      'none',
    ]),
  },
  {
    name: 'a route without GRIP',
    async run(stage) {
      stage.answers(
        200,
        { 'Content-Type': 'text/plain', 'Grip-Status': '404 Not Found', 'Content-Length': '4' },
        'fine',
      );
      const answer = answerOf(await stage.request(stage.path('', 'no-grip')));
      const [request] = stage.asked;
      return {
        answer,
        ...(fields(request, 'grip-feature') as object),
        signature: signatureOf(request.headers['grip-sig']),
      };
    },
  },
  {
    name: 'paths pass as they are',
    async run(stage) {
      stage.answers(200, {}, 'fine');
      for (const rest of ['/a%20b', '/%7Euser', '/a//b', '?a=1&a=2', '?', '/ü'.normalize(), '/x;y=1']) {
        await stage.request(stage.path(encodeURI(decodeURI(rest)).replaceAll('%25', '%')));
      }
      return stage.asked.map(({ url }) => url);
    },
  },
];
