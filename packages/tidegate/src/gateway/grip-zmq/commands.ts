import { Buffer } from 'node:buffer';
import type { EventPublisher } from '../../channels/index.ts';
import { type Limits, TidegateError } from '../../kernel/index.ts';
import type { GripPublisher } from '../grip/grip-publisher.ts';
import { parseItems } from '../grip/publish-request.ts';
import type { GripProcesses } from '../grip-processes/port.ts';
import {
  type CommandRequest,
  type CommandResult,
  encodeResult,
  parseCommand,
  type TnetObject,
  textOf,
} from './command.ts';
import { COMMANDS, type Command, type ZmqMetrics } from './zmq-metrics.ts';

export interface CommandsOptions {
  readonly publisher: GripPublisher;
  /** By whom the events are published. */
  readonly publishAs: EventPublisher;
  readonly processes: GripProcesses;
  /** The addresses of the sockets, by what Pushpin calls them. */
  readonly uris: () => Readonly<Record<string, string>>;
  readonly limits: Limits;
  readonly metrics: ZmqMetrics;
}

type Done = (result: CommandResult) => void;

type CarryOut = (args: TnetObject, done: Done) => void;

const NOTHING: CommandResult = { value: null };

/** What ids of connections look like; other processes are not asked about anything else. */
const CONNECTION_ID = /^\w{1,64}$/;

/** Carries out the commands of the REP socket. All are answered, also what cannot be read: whoever asks waits for it. */
export class Commands {
  readonly #options: CommandsOptions;
  readonly #methods: Readonly<Record<Command, CarryOut>> = {
    publish: (args, done) => this.#publish(args, done),
    conncheck: (args, done) => this.#check(args, done),
    'get-zmq-uris': (_, done) => done({ value: this.#options.uris() }),
    recover: (_, done) => {
      this.#options.processes.recover();
      done(NOTHING);
    },
    refresh: (args, done) => this.#refresh(args, done),
  };

  constructor(options: CommandsOptions) {
    this.#options = options;
  }

  reply(frames: readonly Buffer[], answer: (answer: Buffer) => void): void {
    const { limits, metrics } = this.#options;
    let request: CommandRequest;
    try {
      request = parseCommand(frames, limits);
    } catch (error) {
      metrics.command('unknown', 'error');
      answer(encodeResult(null, refusal(error)));
      return;
    }
    const { id, method, args } = request;
    const known = COMMANDS.find((command) => command === method);
    const done: Done = (result) => {
      metrics.command(known ?? 'unknown', 'value' in result ? 'success' : 'error');
      answer(encodeResult(id, result));
    };
    if (known === undefined) {
      done({ condition: 'method-not-found' });
      return;
    }
    try {
      this.#methods[known](args, done);
    } catch (error) {
      done(refusal(error));
    }
  }

  /** Answered once all items are stored. */
  #publish({ items }: TnetObject, done: Done): void {
    const { publisher, publishAs, limits } = this.#options;
    publisher.publish(parseItems(items, limits), publishAs, (outcomes) => {
      const failed = outcomes.find((outcome) => outcome instanceof TidegateError);
      done(failed === undefined ? NOTHING : refusal(failed));
    });
  }

  #check({ ids }: TnetObject, done: Done): void {
    const texts = Array.isArray(ids) ? ids.map(textOf) : [null];
    if (texts.includes(null)) {
      done({ condition: 'bad-request' });
      return;
    }
    const possible = (texts as readonly string[]).filter((id) => CONNECTION_ID.test(id));
    this.#options.processes.connected(possible, (live) => done({ value: live }));
  }

  #refresh({ cid, channel }: TnetObject, done: Done): void {
    const { processes, limits } = this.#options;
    const [id, name] = [textOf(cid), textOf(channel)];
    if (cid !== undefined) {
      if (id === null) done({ condition: 'bad-request' });
      else if (!CONNECTION_ID.test(id)) done({ condition: 'item-not-found' });
      else
        processes.refresh({ id }, (outcome) =>
          done(outcome === 'found' ? NOTHING : { condition: 'item-not-found' }),
        );
    } else if (name !== null) {
      // A channel to which nobody is subscribed has nobody to be asked again; nor has one that nobody can be subscribed to.
      if (Buffer.byteLength(name) > limits.channelBytesMax) done(NOTHING);
      else processes.refresh({ channel: name }, () => done(NOTHING));
    } else {
      done({ condition: 'bad-request' });
    }
  }
}

function refusal(cause: unknown): CommandResult {
  const error = TidegateError.from(cause);
  if (error.code === 'grip_item_invalid') {
    return { condition: 'bad-request', detail: `Invalid format: ${error.detail}` };
  }
  return {
    condition: error.entry.blame === 'client' ? 'bad-request' : 'service-unavailable',
    detail: error.message,
  };
}
