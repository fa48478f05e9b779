import { Buffer } from 'node:buffer';
import type { Readable } from 'node:stream';
import { TidegateError } from '../../kernel/index.ts';
import { defineCommand, EXIT } from '../command.ts';
import { entryOf, type Payload, payloadOf } from '../payload.ts';
import { publishEntry } from '../publish-entries.ts';
import { publishLines } from '../publish-lines.ts';
import { printReceipt, type Receipt } from '../receipt.ts';
import { channelPath, knownError, type ServerAddress, sendSuccessfully } from '../requests.ts';
import { PUBLIC_OPTIONS, publicServer } from '../server-options.ts';

/** Standard input is read whole; what is longer belongs into several messages. */
const INPUT_BYTES_MAX = 256 * 1024 * 1024;

interface PublishOptions {
  readonly type: string | undefined;
  readonly id: string | undefined;
  readonly purge: string | undefined;
}

/** @throws TidegateError body_too_large */
async function readWhole(input: Readable): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of input) {
    const bytes = Buffer.from(part);
    length += bytes.length;
    if (length > INPUT_BYTES_MAX)
      throw new TidegateError('body_too_large', `The input has more than ${INPUT_BYTES_MAX} bytes`);
    parts.push(bytes);
  }
  return Buffer.concat(parts);
}

/** Sends one message. Its bytes go as they are, unless there is a type, for which only an entry has room. */
async function publishOne(
  server: ServerAddress,
  channel: string,
  payload: Payload,
  { type, id, purge }: PublishOptions,
): Promise<Receipt> {
  if (type === undefined) {
    const headers = {
      'content-type': payload.contentType,
      ...(id === undefined ? {} : { 'idempotency-key': id }),
      ...(purge === undefined ? {} : { 'tidegate-purge': purge }),
    };
    const body = Buffer.from(payload.bytes);
    const response = await sendSuccessfully(server, channelPath(channel), { method: 'POST', headers, body });
    return (await response.json()) as Receipt;
  }
  const outcome = await publishEntry(server, entryOf(channel, { id, type }, payload), purge);
  if ('error' in outcome) throw knownError(outcome.error);
  return outcome;
}

export const publish = defineCommand({
  name: 'publish',
  summary: 'Publish a message, or every line of the input as one',
  details:
    'DATA is the message; - or nothing reads it from standard input. Unless --content-type says what it is,\n' +
    'JSON is published as application/json, other text as text/plain, and bytes as application/octet-stream.',
  operands: [
    { name: 'CHANNEL', required: 'required' },
    { name: 'DATA', required: 'optional' },
  ],
  options: {
    lines: { kind: 'flag', description: 'Publish each line of standard input as a message, as they come' },
    type: {
      kind: 'text',
      value: 'TYPE',
      description: "The event's CloudEvents type, such as com.example.paid",
    },
    'content-type': {
      kind: 'text',
      value: 'TYPE',
      description: 'What the data is, such as application/json',
    },
    id: {
      kind: 'text',
      value: 'ID',
      description: 'Makes a repeated publish recognisable: it is stored once',
    },
    purge: {
      kind: 'text',
      value: 'LIST',
      description: "What the gateway's cache forgets first: url=URL, prefix=URL, surrogate-key=KEY",
    },
    json: { kind: 'flag', description: 'Print the receipts as JSON, one a line' },
    ...PUBLIC_OPTIONS,
  },
  examples: [
    { command: `tidegate publish orders/42 '{"state":"paid"}'`, effect: 'Publish JSON' },
    { command: 'tidegate publish cameras/door - < door.jpg', effect: 'Publish a file' },
    {
      command: 'tail -f app.log | tidegate publish logs/app --lines',
      effect: 'Publish every line as it is written',
    },
    {
      command: `tidegate publish orders/42 '{"state":"paid"}' --id payment-7`,
      effect: 'Safe to repeat: the second time is a duplicate',
    },
    {
      command: `tidegate publish orders/42 '{"state":"paid"}' --purge 'surrogate-key=order-42'`,
      effect: 'Whoever hears of it and asks the gateway gets the new answer',
    },
  ],
  async run(options, [channel, data], terminal) {
    const server = await publicServer(options, terminal);
    if (options.lines) {
      const given = { DATA: data, '--id': options.id, '--purge': options.purge };
      const conflict = Object.entries(given).find(([, value]) => value !== undefined);
      if (conflict !== undefined)
        throw new TidegateError('arguments_invalid', `${conflict[0]} cannot be given with --lines`);
      return publishLines(
        { server, channel, type: options.type, contentType: options['content-type'] },
        options.json ? 'json' : 'text',
        terminal,
      );
    }
    const bytes = data === undefined || data === '-' ? await readWhole(terminal.input) : Buffer.from(data);
    const receipt = await publishOne(server, channel, payloadOf(bytes, options['content-type']), options);
    await printReceipt(receipt, options.json ? 'json' : 'text', terminal);
    return EXIT.success;
  },
});
