import { Agent, type AgentOptions, type ClientRequest, type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ServerProcess } from '../support/server-process.ts';
import { childrenOf, connectTo } from '../support/worker-processes.ts';

/** Makes requests over connections that one process of a server has accepted. */
export class ProcessClient {
  readonly pid: number;
  readonly #port: number;
  readonly #keptAlive: Agent;
  readonly #fresh: Agent;

  /** @param others the processes with which it shares the port */
  constructor(pid: number, others: readonly number[], port: number) {
    this.pid = pid;
    this.#port = port;
    const connect = (): Promise<Socket> => connectTo(pid, others, port);
    this.#keptAlive = new ProcessAgent({ keepAlive: true, maxSockets: 1 }, connect);
    this.#fresh = new ProcessAgent({}, connect);
  }

  async publish(channel: string, body: string, headers: Record<string, string> = {}): Promise<string> {
    return textOf(await this.#send(this.#keptAlive, 'POST', `/v1/channels/${channel}`, headers, body));
  }

  async get(path: string, headers: Record<string, string> = {}): Promise<string> {
    return textOf(await this.#send(this.#keptAlive, 'GET', path, headers));
  }

  /** Over a connection of its own. */
  request(method: string, path: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
    return this.#send(this.#fresh, method, path, headers);
  }

  /** The data of the messages of an event stream, as they come. */
  async subscribe(channel: string, headers: Record<string, string> = {}): Promise<EventList> {
    const path = `/v1/channels/${channel}`;
    return new EventList(await this.request('GET', path, { accept: 'text/event-stream', ...headers }));
  }

  /** Ends the connection that is kept for publishing. */
  close(): void {
    this.#keptAlive.destroy();
  }

  #send(
    agent: Agent,
    method: string,
    path: string,
    headers: Record<string, string>,
    body = '',
  ): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const where = { agent, method, path, headers, host: '127.0.0.1', port: this.#port };
      const sent: ClientRequest = request(where, resolve);
      sent.on('error', reject);
      sent.end(body);
    });
  }
}

class ProcessAgent extends Agent {
  readonly #connect: () => Promise<Socket>;

  constructor(options: AgentOptions, connect: () => Promise<Socket>) {
    super(options);
    this.#connect = connect;
  }

  override createConnection(
    _options: unknown,
    done: (error: Error | null, socket: Duplex) => void,
  ): undefined {
    this.#connect().then(
      (socket) => done(null, socket),
      (error: Error) => done(error, undefined as never),
    );
  }
}

/** What an event stream has brought so far. */
export class EventList {
  readonly response: IncomingMessage;
  readonly data: string[] = [];
  /** `ended` after a clean end, `cut` after another. */
  state: 'open' | 'ended' | 'cut' = 'open';
  lastId = '';
  #text = '';
  #wake: (() => void) | null = null;

  constructor(response: IncomingMessage) {
    this.response = response;
    response.setEncoding('utf8');
    response.on('data', (text: string) => this.#take(text));
    response.on('end', () => this.#close('ended'));
    response.on('error', () => this.#close('cut'));
  }

  /** Resolves once there are `count` messages, or the stream is over. */
  async until(count: number): Promise<void> {
    while (this.data.length < count && this.state === 'open')
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
  }

  async over(): Promise<void> {
    await this.until(Number.POSITIVE_INFINITY);
  }

  close(): void {
    this.response.destroy();
  }

  #take(text: string): void {
    this.#text += text;
    const lines = this.#text.split('\n');
    this.#text = lines.pop() ?? '';
    for (const line of lines) {
      if (line.startsWith('id: ')) this.lastId = line.slice(4);
      if (line.startsWith('data: ')) this.data.push(line.slice(6));
    }
    this.#wake?.();
  }

  #close(state: 'ended' | 'cut'): void {
    if (this.state === 'open') this.state = state;
    this.#wake?.();
  }
}

/** The processes of a server: its owner first. */
export function processesOf(server: ServerProcess): readonly ProcessClient[] {
  const pids = [server.pid, ...childrenOf(server.pid)];
  return pids.map(
    (pid) =>
      new ProcessClient(
        pid,
        pids.filter((other) => other !== pid),
        server.port,
      ),
  );
}

async function textOf(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8');
  let text = '';
  for await (const chunk of response) text += chunk;
  return text;
}
