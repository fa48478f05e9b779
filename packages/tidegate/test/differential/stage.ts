import { freePorts } from '../support/ports.ts';
import type { Gateway, Side } from './gateway.ts';
import { routesFile } from './gateway.ts';
import { type Answer, type OpenAnswer, openRequest, type RequestOptions } from './http-client.ts';
import { repeatUntil, until } from './patience.ts';
import { type AskedRequest, type Script, ScriptedOrigin, type SocketScript } from './scripted-origin.ts';
import { SocketClient } from './socket-client.ts';

/** Is published until it arrives, and then taken out of what is recorded: this is how a scenario knows that a client is subscribed. */
const probeOf = (channel: string): string => `~probe of ${channel}~`;
const PROBE = /^~probe of [^~]*~$/;
const PROBES = /~probe of [^~]*~/g;

/** One side: a gateway and the origin behind it. */
export class World {
  readonly side: Side;
  readonly gateway: Gateway;
  readonly origin: ScriptedOrigin;

  private constructor(side: Side, gateway: Gateway, origin: ScriptedOrigin) {
    this.side = side;
    this.gateway = gateway;
    this.origin = origin;
  }

  static async open(side: Side, startGateway: (routes: string) => Promise<Gateway>): Promise<World> {
    const origin = await ScriptedOrigin.start();
    try {
      const [nobody] = await freePorts(1);
      return new World(side, await startGateway(routesFile(origin.port, nobody)), origin);
    } catch (error) {
      await origin.stop();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.gateway.stop();
    await this.origin.stop();
  }
}

/** An item as it is published; the channel is that of the scenario where it names none. */
export type Item = Readonly<Record<string, unknown>>;

/** What a scenario acts on: on one side, with paths and channels that no other scenario has. */
export class Stage {
  readonly #world: World;
  readonly #name: string;
  #isPlaying = false;
  #asked: readonly AskedRequest[] = [];
  #leaving: (() => void)[] = [];

  constructor(world: World, name: string) {
    this.#world = world;
    this.#name = name;
  }

  /** Which side it is: only for scenarios that have to wait for different things. */
  get side(): Side {
    return this.#world.side;
  }

  /** The channel of this scenario. */
  get channel(): string {
    return this.#name;
  }

  get port(): number {
    return this.#world.gateway.port;
  }

  get controlPort(): number {
    return this.#world.gateway.controlPort;
  }

  /** A path of this scenario: `/grip/NAME`, with another route as first segment, and a rest, where wanted. */
  path(rest = '', route = 'grip'): string {
    return `/${route}/${this.#name}${rest}`;
  }

  /** Says what the origin does. */
  origin(script: Script, socketScript?: SocketScript, extensions?: string): void {
    if (this.#isPlaying) throw new Error('a scenario has one origin');
    this.#isPlaying = true;
    this.#asked = this.#world.origin.play(this.#name, script, socketScript, extensions);
  }

  /** The origin that answers everything in the same way. */
  answers(status: number, headers: Readonly<Record<string, string | string[]>>, body = ''): void {
    this.origin((_request, response) => {
      response.writeHead(status, headers).end(body);
    });
  }

  /** What the origin was asked. */
  get asked(): readonly AskedRequest[] {
    return this.#asked;
  }

  async untilAsked(count: number): Promise<void> {
    await until(
      () => this.#asked.length >= count,
      () => `request ${count} to the origin, which was asked ${JSON.stringify(this.#asked)}`,
    );
  }

  /** Makes a request, and waits for the head of the answer. */
  async open(path = this.path(), options: RequestOptions = {}): Promise<OpenAnswer> {
    const answer = await openRequest(this.port, path, options);
    this.#leaving.push(() => answer.close());
    return answer;
  }

  /** Makes a request, and waits for the whole answer. */
  async request(path = this.path(), options: RequestOptions = {}): Promise<Answer> {
    return (await this.open(path, options)).ended();
  }

  /** A WebSocket client. */
  socket(path = this.path(), options: ConstructorParameters<typeof SocketClient>[2] = {}): SocketClient {
    const client = new SocketClient(this.port, path, options);
    this.#leaving.push(() => client.socket.terminate());
    return client;
  }

  /** Asks the control port. */
  async control(path: string, options: RequestOptions = {}): Promise<Answer> {
    return (await openRequest(this.controlPort, path, options)).ended();
  }

  /** Publishes items; fails if they are not taken. */
  async publish(...items: Item[]): Promise<void> {
    const body = JSON.stringify({ items: items.map((item) => ({ channel: this.channel, ...item })) });
    const { status, body: said } = await this.control('/publish', { method: 'POST', body });
    if (status !== 200) throw new Error(`the items were refused: ${status} ${said}`);
  }

  /** Publishes probes until a stream is subscribed, so that nothing that is published from now on is missed. */
  async subscribed(stream: OpenAnswer, channel = this.channel): Promise<void> {
    const probe = probeOf(channel);
    await repeatUntil(
      () => this.publish({ channel, 'http-stream': { content: probe } }),
      () => stream.text.includes(probe),
      () => `a subscription to ${channel} after ${stream.text}`,
    );
  }

  /** The same for a WebSocket. */
  async socketSubscribed(client: SocketClient, channel = this.channel): Promise<void> {
    const probe = probeOf(channel);
    await repeatUntil(
      () => this.publish({ channel, 'ws-message': { content: probe } }),
      () => client.events.some((event) => 'text' in event && event.text === probe),
      () => `a subscription to ${channel} after ${JSON.stringify(client.events)}`,
    );
  }

  /** Publishes the same until it answers a held response, as it reaches only one that is subscribed already. */
  async publishUntilAnswered(held: Promise<OpenAnswer>, ...items: (Item | (() => Item))[]): Promise<Answer> {
    let answer: Answer | undefined;
    let failure: unknown;
    held
      .then((open) => open.ended())
      .then(
        (ended) => {
          answer = ended;
        },
        (error: unknown) => {
          failure = error;
        },
      );
    await repeatUntil(
      () => this.publish(...items.map((item) => (typeof item === 'function' ? item() : item))),
      () => answer !== undefined || failure !== undefined,
      () => 'the answer to a held request',
    );
    if (answer === undefined) throw failure;
    return answer;
  }

  /** Ends what the scenario has left open. */
  leave(): void {
    for (const leave of this.#leaving) leave();
    this.#leaving = [];
  }
}

/** What a stream has brought, without the probes. */
export const textOf = (stream: OpenAnswer): string => stream.text.replaceAll(PROBES, '');

/** What a WebSocket has brought, without the probes. */
export const eventsOf = (client: SocketClient): SocketClient['events'] =>
  client.events.filter((event) => !('text' in event && PROBE.test(event.text)));
