import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rename, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, describe, test } from 'node:test';
import { runProgram } from '../cli/run-program.ts';
import { ServerProcess } from '../support/server-process.ts';
import { type EventList, processesOf } from '../workers/processes.ts';

/** An origin that answers with its path, but for /held, which the test ends. */
const held: ServerResponse[] = [];
const origin = createServer((request, response) => {
  if (!request.url?.startsWith('/held')) {
    response.end(`origin ${request.url}`);
    return;
  }
  response.write('first,');
  held.push(response);
});
origin.listen(0, '127.0.0.1');
await once(origin, 'listening');
after(() => origin.close());
const originUrl = `http://127.0.0.1:${(origin.address() as AddressInfo).port}`;

/** Two routes: one that leads to the origin, and one that answers with a text. */
const configText = (answer: string, more = ''): string => `
upstreams:
  origin:
    targets:
      - url: ${originUrl}
routes:
  proxied:
    match: { path: /held/* }
    upstream: origin
  own:
    match: { path: /own }
    respond: { status: 200, body: ${answer} }
${more}`;

const LIMITS = 'limits:\n  routesMax: 77\nworkers: 5\n';

async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 10));
}

const own = async (server: ServerProcess): Promise<string> => (await fetch(`${server.url}/own`)).text();

async function metric(server: ServerProcess, outcome: string): Promise<number> {
  const text = await (await fetch(`${server.adminUrl}/metrics`)).text();
  const line = text
    .split('\n')
    .find((candidate) => candidate.startsWith(`tidegate_config_reloads_total{outcome="${outcome}"}`));
  return Number(line?.split(' ')[1] ?? 0);
}

interface Answer {
  readonly differences: readonly { readonly name: string; readonly action: string }[];
  readonly restart: readonly string[];
  readonly code: string;
  readonly detail: string;
}

async function reload(server: ServerProcess): Promise<{ readonly status: number; readonly answer: Answer }> {
  const response = await fetch(`${server.adminUrl}/api/reload`, { method: 'POST' });
  return { status: response.status, answer: (await response.json()) as Answer };
}

/** In the place of the file that is there, as editors do. */
async function replace(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}

for (const count of [1, 2]) {
  describe(`A running server of ${count === 1 ? 'one process' : `${count} processes`}`, {
    timeout: 60_000,
  }, () => {
    let server: ServerProcess;
    let number = 0;
    after(() => server.remove());
    /** A text that no test before had. */
    const fresh = (): string => `text${++number}`;

    test('takes its file anew at SIGHUP, and open streams and requests go on', async () => {
      server = await ServerProcess.start({ config: configText('text0'), args: ['--workers', String(count)] });
      if (count > 1) await until(async () => processesOf(server).length === count);
      const clients = processesOf(server);
      const streams: EventList[] = [];
      const requests: Promise<string>[] = [];
      for (const client of clients) {
        streams.push(await client.subscribe('news'));
        requests.push(client.get('/held/a'));
      }
      await until(() => held.length === clients.length);

      const text = fresh();
      await writeFile(server.configFile, configText(text).replace('/held/*', '/moved/*'));
      process.kill(server.pid, 'SIGHUP');
      await until(async () => (await own(server)) === text);
      assert.equal(await (await fetch(`${server.url}/moved/b`)).text(), 'origin /moved/b');
      assert.equal((await fetch(`${server.url}/held/b`)).status, 404);

      for (const response of held.splice(0)) response.end('last');
      assert.deepEqual(
        await Promise.all(requests),
        clients.map(() => 'first,last'),
      );
      await clients[0].publish('news', 'still here');
      for (const stream of streams) {
        await stream.until(1);
        assert.deepEqual([stream.data, stream.state], [['still here'], 'open']);
        stream.close();
      }
      for (const client of clients) client.close();
    });

    test('takes a file that an editor has put in the place of the one before, by itself', async () => {
      const text = fresh();
      const changed = await metric(server, 'changed');
      await replace(server.configFile, configText(text));
      await until(async () => (await own(server)) === text);
      assert.equal(await metric(server, 'changed'), changed + 1);
    });

    test('refuses a file with mistakes, names them with their places, and goes on as before', async () => {
      const before = await own(server);
      const text = fresh();
      await replace(server.configFile, configText(text, 'colour: red\ntopics:\n  a:\n    partitions: 0\n'));
      const { status, answer } = await reload(server);
      assert.deepEqual([status, answer.code], [400, 'config_refused']);
      assert.match(answer.detail, /tidegate\.yaml:13:1: "colour" is not a known key/);
      assert.match(answer.detail, /tidegate\.yaml:16:17: topics\.a\.partitions: 0 is too small/);
      assert.equal(await own(server), before);
      assert.ok((await metric(server, 'refused')) > 0);
      await until(() => server.output.includes('The config file is refused'));
      const command = await runProgram(['reload', '--admin-url', server.adminUrl]);
      assert.equal(command.code, 1);
      assert.match(command.errors, /tidegate\.yaml:13:1: "colour" is not a known key/);

      // What fits by itself, and not with what is stored.
      const topic = { method: 'PUT', body: JSON.stringify({ spec: { partitions: 2 } }) };
      await fetch(`${server.adminUrl}/api/topic/stored`, topic);
      await replace(server.configFile, configText(text, 'topics:\n  stored:\n    partitions: 3\n'));
      const second = await reload(server);
      assert.equal(second.status, 400);
      assert.match(second.answer.detail, /stored has partitions = 2, which cannot be changed to 3/);
      assert.equal(await own(server), before);
    });

    test('says what has changed to who asks, when all its processes go by it', async () => {
      const text = fresh();
      await replace(server.configFile, configText(text, 'keys: {}\n'));
      const { status, answer } = await reload(server);
      assert.equal(status, 200);
      assert.deepEqual(
        answer.differences.map(({ name, action }) => [name, action]),
        [['own', 'update']],
      );
      for (const client of processesOf(server)) {
        assert.equal(await client.get('/own'), text);
        client.close();
      }
    });

    test('takes the same file for what it is', async () => {
      const changed = await metric(server, 'changed');
      const unchanged = await metric(server, 'unchanged');
      const { position } = (await (await fetch(`${server.adminUrl}/api/route`)).json()) as {
        position: number;
      };
      const watching = await fetch(`${server.adminUrl}/api/watch`);
      const { status, answer } = await reload(server);
      assert.deepEqual([status, answer.differences, answer.restart], [200, [], []]);
      assert.equal(await metric(server, 'unchanged'), unchanged + 1);
      assert.equal(await metric(server, 'changed'), changed);
      await fetch(`${server.adminUrl}/api/topic/after`, { method: 'PUT', body: '{"spec":{}}' });
      const reader = watching.body!.pipeThrough(new TextDecoderStream()).getReader();
      let told = '';
      while (!told.includes('after')) told += (await reader.read()).value ?? assert.fail(told);
      await reader.cancel();
      const lines = told.trim().split('\n');
      assert.deepEqual(JSON.parse(lines[0]), { position });
      assert.equal(lines.length, 2, 'nothing was told before');
    });

    test('names the keys that take effect at the next start only, and leaves them as they are', async () => {
      let text = '';
      let command = { code: 0 as number | null, output: '', errors: '' };
      // The server follows the file by itself: where that came first, nothing is left for the command, and another change is made.
      for (let attempts = 0; attempts < 10 && !command.output.includes('1 updated'); attempts++) {
        text = fresh();
        await replace(server.configFile, configText(text, LIMITS));
        command = await runProgram(['reload', '--admin-url', server.adminUrl]);
        assert.deepEqual([command.code, command.errors], [0, '']);
      }
      assert.match(command.output, /^~ route own\n/);
      assert.match(command.output, new RegExp(`respond\\.body: "[^"]*" -> "${text}"`));
      assert.match(command.output, /0 created, 1 updated, 0 deleted/);
      // --workers was given on the command line, whatever the file says.
      assert.match(command.output, /^At the next start only: limits\.routesMax$/m);
      await until(() => /limits\.routesMax/.test(server.output));
      const json = await runProgram(['reload', '--json', '--admin-url', server.adminUrl]);
      assert.deepEqual(JSON.parse(json.output), {
        differences: [],
        hidden: [],
        restart: ['limits.routesMax'],
      });
      await server.remove();
    });
  });
}
