import { type LogReader, RECORD_CONTROL, type RecordBatch, type Topic } from '../log/index.ts';
import type { Audience } from './audience.ts';
import type { ChannelMap } from './channel-map.ts';
import type { GapReason } from './port.ts';
import { type LivePartition, TopicAudiences } from './topic-audiences.ts';

/** How much of a partition is read and handed over at a time. */
const READ_BYTES = 1 << 20;

/** What the dispatcher tells its hub. */
export interface DispatcherHost {
  /** There is something to flush. */
  wake(): void;
  /** A run has ended for an audience of which all members left in its midst. */
  emptied(audience: Audience): void;
  /** What handing over threw. */
  failed(error: unknown): void;
}

/** What the records of one key mean to the audiences. */
interface Channel {
  readonly name: string;
  readonly wanting: readonly Audience[];
}

/**
 * The live path: hears from the log which partitions have new records, and at the end of the event-loop turn hands them,
 * encoded once per audience, to everybody who keeps pace. All that a turn brought goes out together.
 */
export class Dispatcher {
  readonly #log: LogReader;
  readonly #map: ChannelMap;
  readonly #host: DispatcherHost;
  readonly #topics = new Map<string, TopicAudiences>();
  #dirty: LivePartition[] = [];
  #bytes = 0;
  readonly #stopListening: () => void;

  constructor(log: LogReader, map: ChannelMap, host: DispatcherHost) {
    this.#log = log;
    this.#map = map;
    this.#host = host;
    this.#stopListening = log.onTail((topic, partition, end) => {
      const audiences = this.#topics.get(topic.name);
      if (audiences === undefined || audiences.topic.id !== topic.id) {
        // Perhaps it is new, and should have audiences.
        host.wake();
        return;
      }
      const live = audiences.partitions[partition];
      if (live.end === live.dispatched) {
        if (audiences.isEmpty) {
          live.dispatched = end;
          live.end = end;
          return;
        }
        this.#dirty.push(live);
        host.wake();
      }
      live.end = end;
    });
  }

  audiencesOf(topic: Topic): TopicAudiences {
    let audiences = this.#topics.get(topic.name);
    if (audiences === undefined || audiences.topic.id !== topic.id) {
      audiences = new TopicAudiences(
        topic,
        this.#map,
        (partition) => this.#log.bounds(topic.name, partition).end,
      );
      this.#topics.set(topic.name, audiences);
    }
    return audiences;
  }

  /** Takes an audience in, among those of the topics that can hold its channels. */
  add(audience: Audience): void {
    const channelsOf = new Map<Topic, string[]>();
    for (const channel of audience.channels) {
      for (const topic of this.#map.topicsOf(channel)) {
        const channels = channelsOf.get(topic);
        if (channels === undefined) channelsOf.set(topic, [channel]);
        else channels.push(channel);
      }
    }
    for (const [topic, channels] of channelsOf) this.audiencesOf(topic).add(audience, channels);
  }

  delete(audience: Audience): void {
    // Not by its channels: where they are stored may be another topic by now.
    for (const audiences of this.#topics.values()) audiences.delete(audience);
  }

  /** How many subscribers want the records of a channel that this topic stores. */
  countOf(topic: Topic, channel: string): number {
    const audiences = this.#topics.get(topic.name);
    if (audiences === undefined || audiences.topic.id !== topic.id) return 0;
    return audiences.wanting(channel).reduce((sum, { size }) => sum + size, 0);
  }

  /** Nothing was announced since the last flush. */
  get isIdle(): boolean {
    return this.#dirty.length === 0;
  }

  /** Hands over everything that was announced since the last flush. Returns how many bytes of the log that was. */
  flush(): number {
    const dirty = this.#dirty;
    this.#dirty = [];
    this.#bytes = 0;
    for (const partition of dirty) {
      try {
        this.#flushPartition(partition);
      } catch (error) {
        this.#host.failed(error);
        this.#fallBack(partition);
      }
    }
    return this.#bytes;
  }

  close(): void {
    this.#stopListening();
  }

  /** Handing over failed: everybody reads on by themselves, so that it fails only whom it must. */
  #fallBack(live: LivePartition): void {
    const readers = live.audiences.readersOf(live);
    for (const audience of readers) audience.fallBack();
    live.dispatched = live.end;
    for (const audience of readers) if (audience.size === 0) this.#host.emptied(audience);
  }

  #flushPartition(live: LivePartition): void {
    const { audiences } = live;
    while (live.dispatched < live.end) {
      if (audiences.isEmpty) {
        live.dispatched = live.end;
        return;
      }
      const running: Audience[] = [];
      const next = this.#handOverSome(live, running);
      live.dispatched = next;
      for (const audience of running) {
        audience.endRun();
        if (audience.size === 0) this.#host.emptied(audience);
      }
    }
  }

  /** Hands over what one reading gives, and returns where the next begins. `running` gets the audiences that took part. */
  #handOverSome(live: LivePartition, running: Audience[]): number {
    const { topic, partition, dispatched: from, end } = live;
    const result = this.#log.read({ topic: topic.name, partition, from, to: end, bytesMax: READ_BYTES });
    const { start } = this.#log.bounds(topic.name, partition);
    if (start > from) {
      // More came in one turn than the partition keeps, or than another process kept until it was read here.
      const next = Math.min(start, end);
      this.#tellGap(live, 'below_retention', next, running);
      return next;
    }
    const next = Math.max(from + 1, Math.min(result.next, end));
    let damaged = 0;
    const tellDamageBefore = (offset: number): void => {
      while (damaged < result.damaged.length && result.damaged[damaged].from < offset) {
        this.#tellGap(live, 'damaged', Math.min(result.damaged[damaged++].to, next), running);
      }
    };
    for (const batch of result.batches) {
      this.#bytes += batch.bytes.length;
      tellDamageBefore(batch.baseOffset);
      this.#handOver(batch, live, next, running);
    }
    tellDamageBefore(next);
    return next;
  }

  #handOver(batch: RecordBatch, live: LivePartition, to: number, running: Audience[]): void {
    // Looked up once for each key: a batch has many records of few keys, or few records.
    const channels: (Channel | undefined)[] = new Array(batch.keyCount + 1);
    for (let index = batch.lowerBound(live.dispatched); index < batch.count; index++) {
      if (batch.offset(index) >= to) return;
      const isControl = (batch.flags(index) & RECORD_CONTROL) !== 0;
      const keyIndex = batch.keyIndex(index);
      let channel = channels[keyIndex + 1];
      if (channel === undefined) {
        channel = this.#channelOf(keyIndex === -1 ? null : batch.keyAt(keyIndex), live, running);
        channels[keyIndex + 1] = channel;
      }
      const { wanting, name } = channel;
      if (isControl) for (const audience of wanting) audience.control(batch, index);
      else for (let i = 0; i < wanting.length; i++) wanting[i].record(batch, index, name);
    }
  }

  /** The channel of a key, with the audiences that take part in the run for it. */
  #channelOf(key: string | null, live: LivePartition, running: Audience[]): Channel {
    const name = live.audiences.nameOf(key);
    const wanting = live.audiences.wanting(name);
    if (wanting.length === 0) return { name, wanting };
    return { name, wanting: wanting.filter((audience) => this.#join(audience, live, running)) };
  }

  /** Lets an audience take part in the run; not if nobody in it is near the end. */
  #join(audience: Audience, live: LivePartition, running: Audience[]): boolean {
    if (audience.inRun) return true;
    if (!audience.attentive) {
      audience.skipRun();
      return false;
    }
    running.push(audience);
    audience.beginRun(live);
    return true;
  }

  #tellGap(live: LivePartition, reason: GapReason, to: number, running: Audience[]): void {
    for (const audience of live.audiences.readersOf(live)) {
      if (this.#join(audience, live, running)) audience.gap(reason, to);
    }
  }
}
