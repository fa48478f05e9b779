import type { Counter, Metrics } from '../../kernel/index.ts';
import type { FrameKind } from './frames.ts';

/** How a client follows a value. */
export type SubscriberForm = 'sse' | 'websocket' | 'poll';

/** What a poll of an origin came to: a new value, none, or an error. */
export type PollOutcome = 'changed' | 'unchanged' | 'failed';

/** The figures of all live routes of a process. */
export class LiveMetrics {
  readonly polls: Readonly<Record<PollOutcome, Counter>>;
  readonly frames: Readonly<Record<FrameKind, Counter>>;
  /** Subscribers at this moment. */
  readonly subscribers: Record<SubscriberForm, number> = { sse: 0, websocket: 0, poll: 0 };

  constructor(metrics: Metrics, resources: () => number) {
    const polls = {
      name: 'tidegate_live_polls_total',
      help: 'Polls of origins for live routes that were answered or failed, by outcome.',
      labels: ['outcome'],
    };
    this.polls = {
      changed: metrics.counter(polls, ['changed']),
      unchanged: metrics.counter(polls, ['unchanged']),
      failed: metrics.counter(polls, ['failed']),
    };
    const frames = {
      name: 'tidegate_live_frames_total',
      help: 'Snapshots, values, patches and problems that were sent to subscribers of live routes.',
      labels: ['kind'],
    };
    this.frames = {
      snapshot: metrics.counter(frames, ['snapshot']),
      value: metrics.counter(frames, ['value']),
      patch: metrics.counter(frames, ['patch']),
      problem: metrics.counter(frames, ['problem']),
    };
    const subscribers = {
      name: 'tidegate_live_subscribers',
      help: 'Clients that follow a value of a live route at this moment.',
      labels: ['form'],
    };
    for (const form of ['sse', 'websocket', 'poll'] as const) {
      metrics.observedGauge(subscribers, () => this.subscribers[form], [form]);
    }
    metrics.observedGauge(
      {
        name: 'tidegate_live_resources',
        help: 'Values of live routes that are kept: one for each target and identity, however many processes serve it.',
        // Whatever a worker has, the owner has.
        together: 'max',
      },
      resources,
    );
  }
}
