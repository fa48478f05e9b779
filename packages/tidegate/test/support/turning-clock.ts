import type { Clock } from '../../src/kernel/index.ts';
import type { ManualClock } from './manual-clock.ts';

/** A clock that stands still while turns of the event loop end by themselves: for tests in which real sockets meet a hub. */
export function turning(clock: ManualClock): Clock {
  return {
    nowMs: () => clock.nowMs(),
    monotonicMs: () => clock.monotonicMs(),
    setTimer: (callback, delayMs) => clock.setTimer(callback, delayMs),
    setRepeatingTimer: (callback, intervalMs) => clock.setRepeatingTimer(callback, intervalMs),
    clearTimer: (timer) => clock.clearTimer(timer),
    soon: queueMicrotask,
    endOfTurn: (callback) => {
      setImmediate(callback);
    },
  };
}
