import { gzipSync } from 'node:zlib';
import { rawExchange } from '../http-client.ts';
import { answerOf, askedOf, failureOf } from '../recording.ts';
import { differs, ORIGIN_ERROR, type Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';

const TEXT = { 'Content-Type': 'text/plain' };

/** The first line of what came, and whether there was a second. */
const statusOf = (received: string): string => received.split('\r\n')[0];

/** An origin that hangs up once the client has got a part of its answer. */
async function brokenBody(stage: Stage, fields: Record<string, string>) {
  let hangUp = (): void => {};
  stage.origin((_request, response) => {
    response.writeHead(200, { ...TEXT, ...fields });
    response.write('a part');
    hangUp = () => response.socket?.destroy();
  });
  const answer = await stage.open();
  await answer.until('a part');
  hangUp();
  return answerOf(await answer.ended());
}

/** Answers without instructions: both are plain proxies then. */
export const PLAIN_ANSWERS: readonly Scenario[] = [
  {
    name: 'standing fields of an answer',
    async run(stage) {
      stage.answers(200, { ...TEXT, 'Content-Length': '4' }, 'fine');
      const { headers } = await stage.request();
      const via = headers.via === undefined ? null : String(headers.via).replace(/tidegate-\w+/, 'tidegate');
      return { via, connection: headers.connection ?? null, hasDate: headers.date !== undefined };
    },
  },
  ...['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD', 'REPORT'].map((method) => ({
    name: `method ${method}`,
    run: async (stage: Stage) => {
      stage.answers(200, { ...TEXT, 'Content-Length': '4' }, method === 'HEAD' ? '' : 'fine');
      const body = ['POST', 'PUT', 'PATCH', 'REPORT'].includes(method) ? 'a body' : undefined;
      const answer = answerOf(await stage.request(stage.path(), { method, body }));
      return { answer, asked: askedOf(stage.asked) };
    },
  })),
  {
    name: 'a chunked request body arrives whole',
    async run(stage) {
      stage.answers(200, { ...TEXT, 'Content-Length': '4' }, 'fine');
      const body = Buffer.alloc(70_000, 'x');
      await stage.request(stage.path(), {
        method: 'POST',
        headers: { 'Transfer-Encoding': 'chunked' },
        body,
      });
      return { bytes: stage.asked[0].body.length };
    },
  },
  {
    name: 'binary bodies pass in both directions',
    async run(stage) {
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
      stage.origin(({ body }, response) =>
        response
          .writeHead(200, { 'Content-Type': 'application/octet-stream', 'Content-Length': '256' })
          .end(Buffer.from(body, 'latin1')),
      );
      return answerOf(await stage.request(stage.path(), { method: 'POST', body: bytes }));
    },
  },
  {
    name: 'an answer of a megabyte',
    async run(stage) {
      stage.answers(200, TEXT, 'x'.repeat(1_000_000));
      const { status, body, end } = await stage.request();
      return { status, bytes: body.length, end };
    },
  },
  ...[200, 201, 204, 206, 301, 304, 400, 401, 404, 500, 503].map((status) => ({
    name: `status ${status}`,
    run: async (stage: Stage) => {
      const length: Record<string, string> = [204, 304].includes(status) ? {} : { 'Content-Length': '6' };
      const fields = { ...TEXT, ...length, ETag: '"one"', Location: '/there', 'Set-Cookie': ['a=1', 'b=2'] };
      stage.answers(status, fields, [204, 304].includes(status) ? '' : 'a body');
      return answerOf(await stage.request());
    },
  })),
  {
    name: 'a reason phrase of its own',
    async run(stage) {
      stage.origin((_request, response) =>
        response.writeHead(299, 'Quite Fine', { ...TEXT, 'Content-Length': '4' }).end('fine'),
      );
      return answerOf(await stage.request());
    },
  },
  {
    name: 'an answer to HEAD keeps its length',
    async run(stage) {
      stage.answers(200, { ...TEXT, 'Content-Length': '1234' });
      return answerOf(await stage.request(stage.path(), { method: 'HEAD' }));
    },
  },
  {
    name: 'a held answer that is encoded',
    async run(stage) {
      const hold = { 'Grip-Hold': 'response', 'Grip-Channel': stage.channel, 'Grip-Timeout': '5' };
      stage.origin((_request, response) => {
        response.writeHead(200, { ...TEXT, ...hold, 'Content-Encoding': 'gzip' }).end(gzipSync('fine'));
      });
      return failureOf(await stage.request());
    },
    differs: differs('encodings', ['status', 200, 502], ['says', 'fine', 'grip_instruct_invalid']),
  },
  {
    name: 'an encoded answer',
    async run(stage) {
      stage.origin((_request, response) => {
        response.writeHead(200, { ...TEXT, 'Content-Encoding': 'gzip' }).end(gzipSync('fine'));
      });
      const { status, headers, body } = await stage.request();
      return { status, encoding: headers['content-encoding'] ?? null, isPlain: body === 'fine' };
    },
    differs: differs('encodings', ['encoding', null, 'gzip'], ['isPlain', true, false]),
  },
  {
    name: 'what a streaming origin writes comes before its end',
    async run(stage) {
      let finish = (): void => {};
      stage.origin((_request, response) => {
        response.writeHead(200, { 'Content-Type': 'text/event-stream' });
        response.write('data: one\n\n');
        finish = () => response.end('data: two\n\n');
      });
      const stream = await stage.open();
      await stream.until('one');
      const before = stream.text;
      finish();
      return { before, after: answerOf(await stream.ended()) };
    },
  },
  {
    name: 'Expect: 100-continue',
    async run(stage) {
      stage.answers(200, { ...TEXT, 'Content-Length': '4' }, 'fine');
      const head = `POST ${stage.path()} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue`;
      const received = await rawExchange(stage.port, `${head}\r\nContent-Length: 4\r\n\r\n`, {
        after: '100 Continue\r\n\r\n',
        send: 'body',
      });
      return {
        first: statusOf(received),
        isAnswered: received.includes('\r\n\r\nfine'),
        body: stage.asked[0].body,
      };
    },
  },
  {
    name: 'an origin that refuses connections',
    run: async (stage) => failureOf(await stage.request(stage.path('', 'refused'))),
    differs: differs('errors', ['says', ORIGIN_ERROR, 'upstream_unreachable']),
  },
  {
    name: 'an origin that hangs up without an answer',
    async run(stage) {
      stage.origin((_request, response) => response.socket?.destroy());
      return failureOf(await stage.request());
    },
    differs: differs('errors', ['says', ORIGIN_ERROR, 'upstream_reset']),
  },
  {
    name: 'an origin that speaks no HTTP',
    async run(stage) {
      stage.origin((_request, response) => response.socket?.end('SSH-2.0-OpenSSH\r\n\r\n'));
      return failureOf(await stage.request());
    },
    differs: differs('errors', ['says', ORIGIN_ERROR, 'upstream_malformed']),
  },
  {
    name: 'an origin that hangs up within a body of known length',
    run: (stage) => brokenBody(stage, { 'Content-Length': '100' }),
  },
  {
    name: 'an origin that hangs up within a chunked body',
    run: (stage) => brokenBody(stage, {}),
    differs: differs('broken-bodies', ['end', 'whole', 'cut off']),
  },
  {
    name: 'a request that is no HTTP',
    run: async (stage) => ({ status: statusOf(await rawExchange(stage.port, 'nonsense\r\n\r\n')) }),
    differs: differs('no-http', ['status', '', 'HTTP/1.1 400 Bad Request']),
  },
  {
    name: 'a request with two lengths',
    async run(stage) {
      stage.answers(200, { ...TEXT, 'Content-Length': '4' }, 'fine');
      const head = `POST ${stage.path()} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4\r\nContent-Length: 5`;
      const received = await rawExchange(stage.port, `${head}\r\n\r\nbody!`);
      return { status: statusOf(received), asked: stage.asked.length };
    },
    differs: differs('ambiguous-requests', ['asked', 1, 0]),
  },
  {
    name: 'a request whose length and coding contradict each other',
    async run(stage) {
      stage.answers(200, { ...TEXT, 'Content-Length': '4' }, 'fine');
      const head = `POST ${stage.path()} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4\r\nTransfer-Encoding: chunked`;
      const received = await rawExchange(stage.port, `${head}\r\n\r\n4\r\nbody\r\n0\r\n\r\n`);
      return { status: statusOf(received), asked: stage.asked.length };
    },
    differs: differs(
      'ambiguous-requests',
      ['status', 'HTTP/1.1 200 OK', 'HTTP/1.1 400 Bad Request'],
      ['asked', 1, 0],
    ),
  },
  {
    name: 'a request with a head of nine kilobytes',
    async run(stage) {
      stage.answers(200, { ...TEXT, 'Content-Length': '4' }, 'fine');
      const head = `GET ${stage.path()} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Long: ${'x'.repeat(9000)}`;
      return { status: statusOf(await rawExchange(stage.port, `${head}\r\n\r\n`)) };
    },
    differs: differs('sizes', ['status', '', 'HTTP/1.1 200 OK']),
  },
  {
    name: 'a request of HTTP/1.0',
    async run(stage) {
      stage.answers(200, { ...TEXT, 'Content-Length': '4' }, 'fine');
      const received = await rawExchange(stage.port, `GET ${stage.path()} HTTP/1.0\r\nHost: x\r\n\r\n`);
      return {
        status: statusOf(received).replace(/^HTTP\/1\.\d/, ''),
        isWhole: received.endsWith('\r\n\r\nfine'),
      };
    },
  },
  {
    name: 'a request without a host',
    async run(stage) {
      stage.answers(200, { ...TEXT, 'Content-Length': '4' }, 'fine');
      const received = await rawExchange(
        stage.port,
        `GET ${stage.path()} HTTP/1.1\r\nConnection: close\r\n\r\n`,
      );
      return { status: statusOf(received) };
    },
    differs: differs('ambiguous-requests', ['status', 'HTTP/1.1 200 OK', 'HTTP/1.1 400 Bad Request']),
  },
  {
    name: 'two requests at once on one connection',
    async run(stage) {
      stage.origin(({ url }, response) => {
        response.writeHead(200, { ...TEXT, 'Content-Length': '1' }).end(url.slice(-1));
      });
      const request = (name: string, more = ''): string =>
        `GET ${stage.path(name)} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;
      const received = await rawExchange(stage.port, request('/1') + request('/2', 'Connection: close\r\n'));
      return { bodies: [...received.matchAll(/\r\n\r\n(\d)/g)].map(([, body]) => body) };
    },
  },
];
