/** A handle of a pending timer; opaque to its holder. */
export type Timer = object;

/**
 * Time, injected so that a simulation can own it. Nothing outside this folder reads the machine's clock.
 */
export interface Clock {
  /** Wall-clock time in whole milliseconds since the Unix epoch. May step backwards. */
  nowMs(): number;
  /** Milliseconds, with a fraction, from an arbitrary origin. Never steps backwards. */
  monotonicMs(): number;
  /** Calls back once after at least `delayMs` milliseconds. A timer never keeps the process alive. */
  setTimer(callback: () => void, delayMs: number): Timer;
  /** Calls back every `intervalMs` milliseconds until cleared. */
  setRepeatingTimer(callback: () => void, intervalMs: number): Timer;
  clearTimer(timer: Timer): void;
  /** Calls back once, as soon as the code that is running has returned, before any more input is handled. */
  soon(callback: () => void): void;
  /** Calls back once, after the input of the current event-loop turn has been handled. */
  endOfTurn(callback: () => void): void;
}

/** The clock of the machine. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer: (callback, delayMs) => setTimeout(callback, delayMs).unref(),
  setRepeatingTimer: (callback, intervalMs) => setInterval(callback, intervalMs).unref(),
  clearTimer: (timer) => {
    clearTimeout(timer as NodeJS.Timeout);
  },
  soon: queueMicrotask,
  endOfTurn: (callback) => {
    setImmediate(callback);
  },
};

/** Waits for at least `delayMs` milliseconds and keeps the process alive meanwhile. For commands, which nothing else keeps alive. */
export function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, delayMs);
  });
}
