import { type Log, RECORD_CONTROL, type RecordBatch, type Topic } from '../log/index.ts';
import type { Audience } from './audience.ts';
import type { ChannelMap } from './channel-map.ts';
import { type LivePartition, TopicAudiences } from './topic-audiences.ts';

/** How much of a partition is read and handed over at a time. */
const READ_BYTES = 1 << 20;

/**
 * The live path: hears from the log which partitions have new records, and at the end of the event-loop turn hands them,
 * encoded once per audience, to everybody who keeps pace. All that a turn brought goes out together.
 */
export class Dispatcher {
  readonly #log: Log;
  readonly #map: ChannelMap;
  readonly #topics = new Map<string, TopicAudiences>();
  #dirty: LivePartition[] = [];
  readonly #stopListening: () => void;

  /** `wake` is called when there is something to flush. */
  constructor(log: Log, map: ChannelMap, wake: () => void) {
    this.#log = log;
    this.#map = map;
    this.#stopListening = log.onTail((topic, partition, end) => {
      const audiences = this.#topics.get(topic.name);
      if (audiences === undefined || audiences.topic.id !== topic.id) return;
      const live = audiences.partitions[partition];
      if (live.end === live.dispatched) {
        if (audiences.isEmpty) {
          live.dispatched = end;
          live.end = end;
          return;
        }
        this.#dirty.push(live);
        wake();
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

  /** Hands over everything that was announced since the last flush. */
  flush(): void {
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const partition of dirty) this.#flushPartition(partition);
  }

  close(): void {
    this.#stopListening();
  }

  #flushPartition(live: LivePartition): void {
    const { audiences, topic, partition } = live;
    while (live.dispatched < live.end) {
      if (audiences.isEmpty) {
        live.dispatched = live.end;
        return;
      }
      const from = live.dispatched;
      const result = this.#log.read({
        topic: topic.name,
        partition,
        from,
        to: live.end,
        bytesMax: READ_BYTES,
      });
      const next = Math.max(from + 1, Math.min(result.next, live.end));
      const running: Audience[] = [];
      let damaged = 0;
      for (const batch of result.batches) {
        while (damaged < result.damaged.length && result.damaged[damaged].from < batch.baseOffset) {
          this.#tellDamage(live, result.damaged[damaged++].to, running);
        }
        this.#handOver(batch, live, from, next, running);
      }
      while (damaged < result.damaged.length) this.#tellDamage(live, result.damaged[damaged++].to, running);
      live.dispatched = next;
      for (const audience of running) audience.endRun();
    }
  }

  #handOver(batch: RecordBatch, live: LivePartition, from: number, to: number, running: Audience[]): void {
    const { audiences } = live;
    const wantedBy: (readonly Audience[] | undefined)[] = new Array(batch.keyCount + 1);
    for (let index = batch.lowerBound(from); index < batch.count; index++) {
      if (batch.offset(index) >= to) return;
      if ((batch.flags(index) & RECORD_CONTROL) !== 0) continue;
      const keyIndex = batch.keyIndex(index);
      let wanting = wantedBy[keyIndex + 1];
      if (wanting === undefined) {
        wanting = audiences
          .wanting(batch, keyIndex)
          .filter((audience) => this.#join(audience, live, running));
        wantedBy[keyIndex + 1] = wanting;
      }
      for (let i = 0; i < wanting.length; i++) {
        wanting[i].record(batch, index, audiences.nameOf(keyIndex === -1 ? null : batch.keyAt(keyIndex)));
      }
    }
  }

  /** Lets an audience take part in the run; not if nobody in it is near the end. */
  #join(audience: Audience, live: LivePartition, running: Audience[]): boolean {
    if (audience.inRun) return true;
    if (!audience.attentive) {
      audience.skipRun();
      return false;
    }
    audience.beginRun(live);
    running.push(audience);
    return true;
  }

  #tellDamage(live: LivePartition, to: number, running: Audience[]): void {
    for (const audience of live.audiences.readersOf(live)) {
      if (this.#join(audience, live, running)) audience.damage(to);
    }
  }
}
