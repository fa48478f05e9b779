import { once } from 'node:events';
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';

/** How many connect at a time: a listener's queue of those that it has not accepted is short. */
const CONNECTING_MAX = 250;

/** One client, on a connection of its own, that reads its event stream to the end. */
class Viewer {
  /** The latest count; null before the first. */
  count: number | null = null;
  /** How many counts came. */
  received = 0;
  /** How many counts came that were not the one after the last. */
  wrong = 0;
  #rest = '';

  read(text: string, hasFirst: () => void): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) if (line.startsWith('data: ')) this.#take(Number(line.slice(6)), hasFirst);
  }

  #take(count: number, hasFirst: () => void): void {
    this.received++;
    const before = this.count;
    this.count = count;
    if (before === null) hasFirst();
    else if (count !== before + 1) this.wrong++;
  }
}

/** Clients that watch a counter, as browsers' EventSources would. Each checks that it is told a count and then every following one, once. */
export class Crowd {
  readonly #url: string;
  readonly #agent = new Agent({ maxSockets: Number.POSITIVE_INFINITY });
  readonly #viewers: Viewer[] = [];
  readonly #requests = new Set<ClientRequest>();
  /** How many streams ended that nobody has closed. */
  lost = 0;
  #isClosed = false;

  constructor(url: string) {
    this.#url = url;
  }

  get size(): number {
    return this.#viewers.length;
  }

  /** How many counts came to all together. */
  get received(): number {
    return this.#sum(({ received }) => received);
  }

  /** How many counts came that were not the one after the last. */
  get wrong(): number {
    return this.#sum(({ wrong }) => wrong);
  }

  /** How many have another count than this one. */
  notAt(count: number): number {
    return this.#sum((viewer) => (viewer.count === count ? 0 : 1));
  }

  /** Lets more come. Resolves once each of them has been told a count. Fails if one is not let in. */
  async add(count: number): Promise<void> {
    let left = count;
    const connectOneByOne = async (): Promise<void> => {
      while (left-- > 0) await this.#connect();
    };
    await Promise.all(Array.from({ length: CONNECTING_MAX }, connectOneByOne));
  }

  /** Lets all go. */
  close(): void {
    this.#isClosed = true;
    for (const each of this.#requests) each.destroy();
    this.#agent.destroy();
  }

  async #connect(): Promise<void> {
    const headers = { accept: 'text/event-stream', 'cache-control': 'no-cache' };
    const sent = request(this.#url, { agent: this.#agent, headers });
    this.#requests.add(sent);
    sent.end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    if (response.statusCode !== 200) throw new Error(`A client was answered ${response.statusCode}`);
    const viewer = new Viewer();
    this.#viewers.push(viewer);
    response.setEncoding('utf8');
    const over = (): void => {
      if (!this.#isClosed) this.lost++;
    };
    await new Promise<void>((hasFirst, failed) => {
      response.on('data', (text: string) => viewer.read(text, hasFirst));
      // Its end is told by `close`.
      response.on('error', () => {});
      response.on('close', () => {
        over();
        failed(new Error('A stream ended before the first count'));
      });
    });
  }

  #sum(of: (viewer: Viewer) => number): number {
    return this.#viewers.reduce((sum, viewer) => sum + of(viewer), 0);
  }
}
