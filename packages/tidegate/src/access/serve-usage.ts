import { type Line, TidegateError } from '../kernel/index.ts';
import type { LocalUsage } from './local-usage.ts';
import type { Share } from './port.ts';
import type { ShareLimit } from './share-limits.ts';
import {
  type Admitted,
  readNews,
  readQuestion,
  type UsageNews,
  type UsageQuestion,
  writeAdmitted,
  writeGranted,
  writeWait,
} from './usage-messages.ts';
import type { Usages } from './usages.ts';

/** Counts for a worker: what it asks for is granted from the usages of this process, and given back when the worker is gone. */
export function serveUsage(line: Line, usages: Usages<LocalUsage>): void {
  const worker = new WorkerUsages(line, usages);
  line.onTold('usage', (message) => worker.told(readNews(message)));
  line.onAsked('usage', (question, answer) => answer(worker.answer(readQuestion(question))));
  line.onClosed(() => worker.gone());
}

/** What one worker holds of a usage. */
interface Part {
  readonly usage: LocalUsage;
  connections: number;
  subscriptions: number;
}

class WorkerUsages {
  readonly #line: Line;
  readonly #usages: Usages<LocalUsage>;
  /** By the number that the worker has given. */
  readonly #parts = new Map<number, Part>();
  #isGone = false;

  constructor(line: Line, usages: Usages<LocalUsage>) {
    this.#line = line;
    this.#usages = usages;
  }

  told(news: UsageNews): void {
    // What it said last may be read after its end.
    if (this.#isGone) return;
    switch (news.kind) {
      case 'open':
        this.#open(news);
        break;
      case 'close':
        this.#close(news.id);
        break;
      case 'release':
        this.#release(this.#part(news.id), news);
        break;
    }
  }

  answer(question: UsageQuestion): Uint8Array | TidegateError {
    if (this.#isGone) return new TidegateError('worker_unavailable');
    const part = this.#part(question.id);
    switch (question.kind) {
      case 'hold':
        return writeAdmitted(admit(part, question, question.times));
      case 'publish':
        return writeGranted(part.usage.takeEvents(question.count));
      case 'spent':
        return writeWait(part.usage.spentElsewhere(question.bytes));
    }
  }

  gone(): void {
    this.#isGone = true;
    for (const id of this.#parts.keys()) this.#close(id);
  }

  #open({ id, name, limits }: Extract<UsageNews, { readonly kind: 'open' }>): void {
    const usage = this.#usages.named(name, limits);
    this.#parts.set(id, { usage, connections: 0, subscriptions: 0 });
  }

  /** What it held of the usage is free again. */
  #close(id: number): void {
    const part = this.#part(id);
    this.#release(part, part);
    this.#parts.delete(id);
  }

  #part(id: number): Part {
    const part = this.#parts.get(id);
    if (part === undefined)
      throw new TidegateError('internal', `Worker ${this.#line.peer} has no usage ${id}`);
    return part;
  }

  #release(part: Part, { connections, subscriptions }: Share): void {
    part.usage.release({ connections, subscriptions });
    part.connections -= connections;
    part.subscriptions -= subscriptions;
  }
}

function admit(part: Part, share: Share, times: number): Admitted {
  let short: ShareLimit | null = null;
  let held = 0;
  while (held < times) {
    short = part.usage.tryHold(share);
    if (short !== null) break;
    held++;
  }
  part.connections += held * share.connections;
  part.subscriptions += held * share.subscriptions;
  return { times: held, short };
}
