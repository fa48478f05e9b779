import { Buffer } from 'node:buffer';
import type { Readable } from 'node:stream';
import { TidegateError } from '../../kernel/index.ts';
import { defineCommand, EXIT } from '../command.ts';
import { entryOf, type Payload, payloadOf } from '../payload.ts';
import { publishEntries } from '../publish-entries.ts';
import { publishLines } from '../publish-lines.ts';
import { printReceipt, type Receipt } from '../receipt.ts';
import { channelPath, knownError, type ServerAddress, sendSuccessfully } from '../requests.ts';
import { PUBLIC_OPTIONS, publicServer } from '../server-options.ts';

/** Standard input is read whole; what is longer belongs into several messages. */
const INPUT_BYTES_MAX = 256 * 1024 * 1024;

interface PublishOptions {
  readonly type: string | undefined;
  readonly id: string | undefined;
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
  { type, id }: PublishOptions,
): Promise<Receipt> {
  if (type === undefined) {
    const headers = {
      'content-type': payload.contentType,
      ...(id === undefined ? {} : { 'idempotency-key': id }),
    };
    const body = Buffer.from(payload.bytes);
    const response = await sendSuccessfully(server, channelPath(channel), { method: 'POST', headers, body });
    return (await response.json()) as Receipt;
  }
  const [outcome] = await publishEntries(server, [entryOf(channel, { id, type }, payload)]);
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
  ],
  async run(options, [channel, data], terminal) {
    const server = await publicServer(options, terminal);
    if (options.lines) {
      const conflict = data !== undefined ? 'DATA' : options.id !== undefined ? '--id' : null;
      if (conflict !== null)
        throw new TidegateError('arguments_invalid', `${conflict} cannot be given with --lines`);
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
