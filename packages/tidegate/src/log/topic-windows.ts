import type { Clock, Limits } from '../kernel/index.ts';
import { IdempotenceWindow } from './idempotence-window.ts';
import type { Store } from './store.ts';
import type { TopicState } from './topic-state.ts';

/** Chunks of ids that one turn loads. */
const CHUNKS_LOADED_AT_ONCE = 32;

/** The topics' windows of ids: made when they are needed, with what an earlier run of the server stored. */
export class TopicWindows {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #limits: Limits;
  /** Topics whose window is not complete, and the sequence number from which chunks are missing. */
  readonly #loading = new Map<TopicState, number>();
  #stopped = false;

  constructor(store: Store, clock: Clock, limits: Limits) {
    this.#store = store;
    this.#clock = clock;
    this.#limits = limits;
  }

  /** The window of the topic's ids, loaded if it was not. */
  of(state: TopicState): IdempotenceWindow {
    if (state.window === null) this.#openWindow(state);
    while (this.#loading.has(state)) this.#loadSome(state);
    return state.window!;
  }

  /**
   * Loads the windows of ids a little in each turn, so that a start does not wait for them, nor, most likely, the first
   * record with an id.
   */
  preload(states: readonly TopicState[]): void {
    const waiting = [...states];
    const step = (): void => {
      const state = waiting[0];
      if (state === undefined || this.#stopped) return;
      if (state.window === null) this.#openWindow(state);
      if (this.#loading.has(state) && !state.gone) {
        this.#loadSome(state);
      } else {
        // Most topics have no ids, and need no table for them.
        if (state.window!.isUnused) state.window = null;
        waiting.shift();
      }
      this.#clock.endOfTurn(step);
    };
    this.#clock.endOfTurn(step);
  }

  /** Nothing is loaded from now on. */
  stop(): void {
    this.#stopped = true;
  }

  #openWindow(state: TopicState): void {
    state.window = new IdempotenceWindow({
      hash: state.hash,
      idsMax: this.#limits.idempotenceIdsMax,
      windowMs: this.#limits.idempotenceWindowMs,
      chunk: (sequence) => this.#store.identityChunk(state.topic.id, sequence),
    });
    this.#loading.set(state, 0);
  }

  #loadSome(state: TopicState): void {
    const chunks = this.#store.identityChunks(
      state.topic.id,
      this.#loading.get(state)!,
      CHUNKS_LOADED_AT_ONCE,
    );
    const nowMs = this.#clock.nowMs();
    for (const { sequence, bytes } of chunks) state.window!.restore(sequence, bytes, nowMs);
    if (chunks.length < CHUNKS_LOADED_AT_ONCE) this.#loading.delete(state);
    else this.#loading.set(state, chunks[chunks.length - 1].sequence + 1);
  }
}
