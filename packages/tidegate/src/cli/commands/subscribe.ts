import { Buffer } from 'node:buffer';
import { pause, systemRandom, TidegateError } from '../../kernel/index.ts';
import { defineCommand, EXIT } from '../command.ts';
import { memberSource } from '../json-member.ts';
import { linesOf } from '../line-stream.ts';
import { channelPath, errorOf, parseObject, type ServerAddress, send } from '../requests.ts';
import { PUBLIC_OPTIONS, publicServer } from '../server-options.ts';
import { type Terminal, write } from '../terminal.ts';

/** How long to wait before the first and before any later attempt to reconnect. */
const RECONNECT_FIRST_MS = 250;
const RECONNECT_MAX_MS = 5_000;

interface Following {
  readonly server: ServerAddress;
  readonly path: string;
  readonly form: 'data' | 'json';
  readonly countMax: number;
  readonly terminal: Terminal;
  /** Where to read on after a lost connection. */
  from: string;
  count: number;
}

/** What a person wants to see of a message: the data as it was published. */
function bareData(line: string): Uint8Array {
  const message = parseObject(line);
  if (typeof message.data_base64 === 'string') return Buffer.from(`${message.data_base64}`, 'base64');
  const isJson = /^[^/]+\/([^/;]+\+)?json\s*(;|$)/i.test(String(message.datacontenttype ?? ''));
  if (typeof message.data === 'string' && !isJson) return Buffer.from(message.data);
  return Buffer.from(memberSource(line, 'data') ?? '');
}

/** Handles one line of the stream. */
async function take(line: string, following: Following): Promise<void> {
  if (line === '') return;
  const object = parseObject(line);
  const { output, errors } = following.terminal;
  if (object.gap !== undefined) {
    const gap = object.gap as { readonly reason?: unknown; readonly cursor?: unknown };
    if (typeof gap.cursor === 'string') following.from = gap.cursor;
    if (following.form === 'json') await write(output, `${line}\n`);
    await write(
      errors,
      `gap: messages are missing (${String(gap.reason)}); going on from ${String(gap.cursor)}\n`,
    );
    return;
  }
  if (object.expiring !== undefined) {
    const { expires } = object.expiring as { readonly expires?: unknown };
    await write(errors, `expiring: the key or token ends at ${String(expires)}, and the stream with it\n`);
    return;
  }
  if (typeof object.channel === 'string') {
    following.count++;
    await write(
      output,
      following.form === 'json' ? `${line}\n` : Buffer.concat([bareData(line), Buffer.from('\n')]),
    );
  }
  if (typeof object.cursor === 'string') following.from = object.cursor;
}

/** Reads one connection to its end, or until enough was read. */
async function follow(response: Response, following: Following): Promise<void> {
  if (response.body === null) return;
  try {
    for await (const line of linesOf(response.body)) {
      await take(line, following);
      if (following.count >= following.countMax || !following.terminal.output.writable) return;
    }
  } catch (error) {
    // A connection that breaks is what reconnecting is for; anything else is a mistake of ours.
    if (!(error instanceof TypeError) && (error as Error).name !== 'AbortError') throw error;
  }
}

/** An answer that will be another one before long. */
const isPassing = (response: Response): boolean =>
  response.status === 503 || response.status === 502 || response.status === 504;

async function followForGood(following: Following): Promise<void> {
  let delayMs = RECONNECT_FIRST_MS;
  let connected = false;
  while (following.count < following.countMax && following.terminal.output.writable) {
    const path = `${following.path}?${new URLSearchParams({ from: following.from })}`;
    const response = await send(following.server, path, {
      headers: { accept: 'application/x-ndjson' },
    }).catch((error: unknown) => {
      if (connected && error instanceof TidegateError) return null;
      throw error;
    });
    if (response?.ok === true) {
      if (connected) await write(following.terminal.errors, 'connected again\n');
      connected = true;
      delayMs = RECONNECT_FIRST_MS;
      await follow(response, following);
      if (following.count >= following.countMax) return;
      await write(following.terminal.errors, 'connection lost; connecting again\n');
    } else if (response !== null && !(connected && isPassing(response))) {
      throw await errorOf(response);
    }
    // Not all at once after a restart of the server: each waits for half of the delay and a random part of the rest.
    await pause(delayMs / 2 + (systemRandom.uint32() / 2 ** 32) * (delayMs / 2));
    delayMs = Math.min(delayMs * 2, RECONNECT_MAX_MS);
  }
}

export const subscribe = defineCommand({
  name: 'subscribe',
  summary: 'Print the messages of a channel as they come',
  details:
    'Prints the data of each message and a line break. Connects again by itself when the server goes away, and reads on\n' +
    'where it was. In CHANNEL, a segment + stands for any one segment and a last # for the rest.',
  operands: [{ name: 'CHANNEL', required: 'required' }],
  options: {
    from: {
      kind: 'text',
      value: 'POSITION',
      description:
        'latest (default), earliest, -N for the last N, a time such as 2026-01-31T12:00:00Z, or a cursor',
    },
    json: {
      kind: 'flag',
      description: 'Print each message as a JSON object, with its channel, id, time and cursor',
    },
    count: { kind: 'integer', value: 'N', min: 1, max: 1e15, description: 'End after N messages' },
    ...PUBLIC_OPTIONS,
  },
  examples: [
    { command: 'tidegate subscribe orders/42', effect: 'Follow a channel' },
    {
      command: `tidegate subscribe 'orders/#' --from earliest`,
      effect: 'All orders, those that are stored first',
    },
    { command: 'tidegate subscribe orders/42 --from -1 --count 1', effect: 'Print the last message and end' },
    {
      command: `tidegate subscribe 'quakes/+' --json | jq .data.magnitude`,
      effect: 'Process messages in a script',
    },
  ],
  async run(options, [channel], terminal) {
    await followForGood({
      server: await publicServer(options, terminal),
      path: channelPath(channel),
      form: options.json ? 'json' : 'data',
      countMax: options.count ?? Number.POSITIVE_INFINITY,
      terminal,
      from: options.from ?? 'latest',
      count: 0,
    });
    return EXIT.success;
  },
});
