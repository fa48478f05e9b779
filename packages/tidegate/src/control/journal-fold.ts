import type { Buffer } from 'node:buffer';
import { ChangeHistory } from './change-history.ts';
import { type ChangeSet, decodeChangeSet, encodeSnapshot, type Removal, SNAPSHOT_KEY } from './change-set.ts';
import type { JournalStart } from './journal.ts';
import type { AppliedChangeSet } from './port.ts';
import type { JournalRecord } from './record-parts.ts';
import { deepFreeze, StoredState } from './stored-state.ts';

/**
 * A snapshot record is due after so many change sets, or after as many as there are resources, if these are more: writing down thousands takes
 * tens of milliseconds, which all who are served wait for.
 */
const SNAPSHOT_CHANGE_SETS = 128;
/** And after so many times the bytes that all resources may have. */
const SNAPSHOT_BYTES_SHARE = 2;

/** What one record came to. */
export interface Folded {
  /** Null for a snapshot. */
  readonly changeSet: ChangeSet | null;
  /** Null for what took no effect. */
  readonly applied: AppliedChangeSet | null;
  readonly removals: readonly Removal[];
}

const NOTHING: Folded = { changeSet: null, applied: null, removals: [] };

/** What the records of the journal come to, one after the other. */
export class JournalFold {
  readonly state = new StoredState();
  #next = 0;
  #history = new ChangeHistory(0);
  #changeSetsSinceSnapshot = 0;
  #bytesSinceSnapshot = 0;

  /** One past the last record that was folded. */
  get next(): number {
    return this.#next;
  }

  get history(): ChangeHistory {
    return this.#history;
  }

  /** Begins where the journal says. */
  restore({ from, snapshot }: JournalStart): void {
    this.#next = from;
    this.#history = new ChangeHistory(from);
    this.state.reset(snapshot?.resources ?? []);
  }

  /** Takes in the next record. @throws TidegateError resources_damaged, resources_version_unsupported: nothing is taken then */
  take({ offset, end: position, key, bytes }: JournalRecord): Folded {
    if (key === SNAPSHOT_KEY) {
      this.#changeSetsSinceSnapshot = 0;
      this.#bytesSinceSnapshot = bytes.length;
      this.#next = position;
      return NOTHING;
    }
    const changeSet = decodeChangeSet(bytes, offset);
    this.#changeSetsSinceSnapshot++;
    this.#bytesSinceSnapshot += bytes.length;
    const outcome = this.state.fold(changeSet, position);
    this.#next = position;
    if (outcome.kind === 'conflict') return { changeSet, applied: null, removals: [] };
    const { id, who, atMs } = changeSet;
    const applied = deepFreeze({ position, id, who, atMs, changes: outcome.changes });
    this.#history.add(applied, bytes.length);
    return { changeSet, applied, removals: outcome.removals };
  }

  /** Whether starting would read more than it has to. */
  isSnapshotDue(resourcesBytesMax: number): boolean {
    return (
      this.#changeSetsSinceSnapshot >= Math.max(SNAPSHOT_CHANGE_SETS, this.state.size) ||
      this.#bytesSinceSnapshot > resourcesBytesMax * SNAPSHOT_BYTES_SHARE
    );
  }

  /** The snapshot record of what there is now. */
  snapshotRecord(removals: readonly Removal[]): Buffer {
    return encodeSnapshot({ through: this.#next, resources: [...this.state.resources], removals });
  }
}
