import { TidegateError } from '../kernel/index.ts';
import { EXIT, type ExitCode } from './command.ts';
import { LineQueue } from './line-queue.ts';
import { entryOf, payloadOf } from './payload.ts';
import { publishEntries } from './publish-entries.ts';
import { printReceipt } from './receipt.ts';
import { knownError, type ServerAddress } from './requests.ts';
import { type Terminal, write } from './terminal.ts';

/** Lines that go out in one request: as many as are there, up to these bounds. */
const BATCH_LINES_MAX = 500;
const BATCH_BYTES_MAX = 1024 * 1024;

/** Where lines go, and as what. */
export interface LinesTarget {
  readonly server: ServerAddress;
  readonly channel: string;
  readonly type: string | undefined;
  readonly contentType: string | undefined;
}

/** Lines on their way, and what became of those before them. */
class LinesPublisher {
  readonly #target: LinesTarget;
  readonly #form: 'text' | 'json';
  readonly #terminal: Terminal;
  #entries: string[] = [];
  #bytes = 0;
  published = 0;
  refused = 0;

  constructor(target: LinesTarget, form: 'text' | 'json', terminal: Terminal) {
    this.#target = target;
    this.#form = form;
    this.#terminal = terminal;
  }

  get isFull(): boolean {
    return this.#entries.length >= BATCH_LINES_MAX || this.#bytes >= BATCH_BYTES_MAX;
  }

  async add(line: Uint8Array): Promise<void> {
    const { channel, type, contentType } = this.#target;
    try {
      const entry = entryOf(channel, { type }, payloadOf(line, contentType));
      this.#entries.push(entry);
      this.#bytes += entry.length;
    } catch (error) {
      await this.#refuse(TidegateError.from(error));
    }
  }

  async flush(): Promise<void> {
    if (this.#entries.length === 0) return;
    const entries = this.#entries;
    this.#entries = [];
    this.#bytes = 0;
    for (const outcome of await publishEntries(this.#target.server, entries)) {
      if ('error' in outcome) {
        await this.#refuse(knownError(outcome.error));
      } else {
        this.published++;
        if (this.#form === 'json') await printReceipt(outcome, 'json', this.#terminal);
      }
    }
  }

  async #refuse(error: TidegateError): Promise<void> {
    this.refused++;
    await write(this.#terminal.errors, `refused: ${error.message} (${error.code})\n`);
  }
}

/**
 * Publishes the lines of standard input in order, each as a message. Lines that are there together go together; a line
 * that comes alone goes at once. Stops at the first request that fails; a line that is refused does not stop the others.
 * @throws TidegateError server_unreachable, or what the server says of a request as a whole
 */
export async function publishLines(
  target: LinesTarget,
  form: 'text' | 'json',
  terminal: Terminal,
): Promise<ExitCode> {
  const publisher = new LinesPublisher(target, form, terminal);
  const lines = new LineQueue(terminal.input);
  for (let line = await lines.next(); line !== null; line = await lines.next()) {
    await publisher.add(line);
    if (lines.length === 0 || publisher.isFull) await publisher.flush();
  }
  await publisher.flush();
  const { published, refused } = publisher;
  if (form === 'text') {
    const remark = refused === 0 ? '' : `, ${refused} refused`;
    const messages = published === 1 ? 'message' : 'messages';
    await write(terminal.output, `Published ${published} ${messages} to ${target.channel}${remark}\n`);
  }
  return refused === 0 ? EXIT.success : EXIT.failure;
}
