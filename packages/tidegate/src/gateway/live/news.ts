import { Buffer } from 'node:buffer';
import { EMPTY } from '../../kernel/index.ts';
import type { Failure } from './failure.ts';
import { encodeFrames, type FrameForm, type LiveFrame } from './frames.ts';
import type { LiveValue } from './live-value.ts';
import type { LiveMode } from './port.ts';
import { NO_VERSION, patchLengthMax, type VersionRing } from './version-ring.ts';

/** What a subscriber is brought on to. */
export interface Present {
  readonly mode: LiveMode;
  /** The versions that lead to the value. */
  readonly ring: VersionRing;
  readonly value: LiveValue | null;
  readonly failure: Failure | null;
}

/** What somebody has missed, and its bytes. */
export interface News {
  readonly frames: readonly LiveFrame[];
  readonly bytes: Buffer;
}

/** Makes news once for all who have missed the same, as nearly all do. To be cleared when there is a new present. */
export class SharedNews {
  readonly #made = new Map<string, News>();
  readonly #patches = new Map<number, Buffer>();

  clear(): void {
    this.#made.clear();
    this.#patches.clear();
  }

  /** What leads from a version, and from what its holder knows of failures, to the present. */
  from(form: FrameForm, version: number, told: Failure | null, present: Present): News {
    if (!isShared(version, present)) return make(form, version, told, present);
    // A failure that is known and goes on is no news; of those that are over, one is as good as another.
    const key = `${form} ${version} ${told === null ? 'none' : 'over'}`;
    let news = this.#made.get(key);
    if (news === undefined) {
      news = make(form, version, told, present);
      this.#made.set(key, news);
    }
    return news;
  }

  /** A patch that makes the value of a version: one that replaces everything, if there is no other. */
  patchFrom(version: number, value: LiveValue, present: Present): Buffer {
    let patch = this.#patches.get(version);
    if (patch === undefined) {
      const { ring, mode } = present;
      const kept = mode === 'patch' ? ring.patchFrom(version, patchLengthMax(value.text.length)) : null;
      patch = Buffer.from(kept ?? replacement(value.text), 'utf8');
      if (isShared(version, present)) this.#patches.set(version, patch);
    }
    return patch;
  }
}

/** Other places are of subscribers that were slow, or away: nobody else is likely to come from there. */
function isShared(version: number, { ring }: Present): boolean {
  return version === NO_VERSION || version >= ring.current - 1;
}

/** The path of the whole document is empty (RFC 6901, section 5). */
function replacement(text: string): string {
  return `[{"op":"replace","path":"","value":${text}}]`;
}

function make(form: FrameForm, version: number, told: Failure | null, present: Present): News {
  const frames = [...valueFrames(version, told, present), ...problemFrames(told, present)];
  return { frames, bytes: frames.length === 0 ? EMPTY : encodeFrames(form, frames) };
}

function valueFrames(version: number, told: Failure | null, present: Present): readonly LiveFrame[] {
  const { mode, ring, value, failure } = present;
  if (value === null) return [];
  const { id, text } = value;
  const whole: LiveFrame = {
    kind: mode === 'value' && version !== NO_VERSION ? 'value' : 'snapshot',
    id,
    json: text,
  };
  // A value that has returned to what the subscriber has is no news, whatever it was meanwhile.
  if (version !== ring.current && ring.idOf(version) !== id) {
    const patch = mode === 'patch' ? ring.patchFrom(version, patchLengthMax(text.length)) : null;
    return [patch === null ? whole : { kind: 'patch', id, json: patch }];
  }
  // A problem is over, and what was sent before holds again: a change that changes nothing says so.
  if (told !== null && failure === null)
    return [mode === 'patch' ? { kind: 'patch', id, json: '[]' } : whole];
  return [];
}

function problemFrames(told: Failure | null, { failure }: Present): readonly LiveFrame[] {
  if (failure === null || told === failure) return [];
  return [{ kind: 'problem', id: null, json: failure.problem }];
}
