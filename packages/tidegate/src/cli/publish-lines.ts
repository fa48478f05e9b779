import { Buffer } from 'node:buffer';
import { createInterface } from 'node:readline';
import { EXIT, type ExitCode } from './command.ts';
import { entryOf, payloadOf } from './payload.ts';
import { printReceipt, type Receipt } from './receipt.ts';
import { sendSuccessfully } from './requests.ts';
import { type Terminal, write } from './terminal.ts';

/** Lines that go out in one request: as many as are there, up to these bounds. */
const BATCH_LINES_MAX = 500;
const BATCH_BYTES_MAX = 1024 * 1024;

/** Where lines go, and as what. */
export interface LinesTarget {
  readonly url: string;
  readonly channel: string;
  readonly type: string | undefined;
  readonly contentType: string | undefined;
}

/** An answer to one line: a receipt or why it was refused. */
type Outcome =
  | Receipt
  | { readonly error: { readonly title: string; readonly detail: string; readonly code: string } };

/**
 * Publishes the lines of standard input in order, each as a message. Lines that are there together go together; a line
 * that comes alone goes at once. Stops at the first request that fails; a line that is refused does not stop the others.
 */
export async function publishLines(
  target: LinesTarget,
  form: 'text' | 'json',
  terminal: Terminal,
): Promise<ExitCode> {
  const totals = { published: 0, refused: 0 };
  let entries: string[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    if (entries.length === 0) return;
    const batch = entries;
    entries = [];
    bytes = 0;
    for (const outcome of await publishEntries(target.url, batch)) {
      if ('error' in outcome) {
        totals.refused++;
        const { code, title, detail } = outcome.error;
        await write(terminal.errors, `refused: ${title}${detail === '' ? '' : `: ${detail}`} (${code})\n`);
      } else {
        totals.published++;
        if (form === 'json') await printReceipt(outcome, 'json', terminal);
      }
    }
  };
  const reader = createInterface({ input: terminal.input, crlfDelay: Number.POSITIVE_INFINITY });
  const waiting = new LineQueue(reader);
  for (let line = await waiting.next(); line !== null; line = await waiting.next()) {
    const entry = entryOf(
      target.channel,
      { type: target.type },
      payloadOf(Buffer.from(line), target.contentType),
    );
    entries.push(entry);
    bytes += entry.length;
    if (waiting.length === 0 || entries.length >= BATCH_LINES_MAX || bytes >= BATCH_BYTES_MAX) await flush();
  }
  if (form === 'text') {
    const refused = totals.refused === 0 ? '' : `, ${totals.refused} refused`;
    await write(terminal.output, `Published ${totals.published} messages to ${target.channel}${refused}\n`);
  }
  return totals.refused === 0 ? EXIT.success : EXIT.failure;
}

async function publishEntries(url: string, entries: readonly string[]): Promise<readonly Outcome[]> {
  const headers = { 'content-type': 'application/x-ndjson' };
  const response = await sendSuccessfully(`${url}/v1/publish`, {
    method: 'POST',
    headers,
    body: `${entries.join('\n')}\n`,
  });
  const answers = (await response.text()).split('\n').filter((line) => line !== '');
  return answers.map((line) => JSON.parse(line) as Outcome);
}

/** Lines that were read and not taken yet. Reading pauses while there are many. */
class LineQueue {
  readonly #reader: ReturnType<typeof createInterface>;
  #lines: string[] = [];
  #taken = 0;
  #ended = false;
  #wake: (() => void) | null = null;

  constructor(reader: ReturnType<typeof createInterface>) {
    this.#reader = reader;
    reader.on('line', (line) => {
      this.#lines.push(line);
      if (this.length >= BATCH_LINES_MAX) reader.pause();
      this.#wake?.();
    });
    reader.on('close', () => {
      this.#ended = true;
      this.#wake?.();
    });
  }

  get length(): number {
    return this.#lines.length - this.#taken;
  }

  /** The next line; null after the last. */
  async next(): Promise<string | null> {
    while (this.length === 0) {
      if (this.#ended) return null;
      this.#lines = [];
      this.#taken = 0;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        this.#reader.resume();
      });
    }
    return this.#lines[this.#taken++];
  }
}
