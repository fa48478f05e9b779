import type { Failure } from './failure.ts';
import type { LiveValue } from './live-value.ts';
import type { RoutedPath } from './port.ts';
import type { VersionStep } from './version-ring.ts';

/** Where a value comes from, while it is started: polls of its origin, or the process of the server that polls. */
export interface ValueSource {
  /** The origin's own tag of the value; null if it gave none. */
  readonly tag: string | null;
  /** What was last learnt is too old to begin with: starting brings something at once, even if it is only that nothing is new. */
  readonly isDue: boolean;
  /** Goes this way from now on: that of the newest request, as routes may have been changed since. */
  use(path: RoutedPath): void;
  start(): void;
  /** Brings nothing more until it is started again. */
  stop(): void;
}

/** Takes what a source brings. */
export interface ValueTaker {
  /** The last that was taken; null as long as there was none. */
  readonly value: LiveValue | null;
  /** There is no new value: the last one holds, or it is not known why it should not. */
  settled(failure: Failure | null): void;
  /**
   * There is a new value.
   * @param steps what leads to it from the last one, the version that it is itself at the end
   */
  changed(value: LiveValue, steps: readonly VersionStep[], failure: Failure | null): void;
}
