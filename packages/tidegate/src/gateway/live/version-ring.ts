/** Before all versions: what somebody has who has nothing, or what cannot be named any more. */
export const NO_VERSION = -1;

/** Up to this length a patch may be longer than the value: it costs nothing, and is what clients expect. */
const SHORT_PATCH_LENGTH = 1024;

/** How long a patch, or several together, may be that make a value of this length. What is longer is of no use to anybody. */
export function patchLengthMax(valueLength: number): number {
  return Math.max(valueLength, SHORT_PATCH_LENGTH);
}

/** A version, and what makes it of the one before. */
export interface VersionStep {
  readonly id: string;
  /** The text of a JSON array; null if nothing does, upon which all versions before are let go. */
  readonly patch: string | null;
}

interface Version {
  readonly id: string;
  /** The operations that make it of the version before, without the brackets around them; of the oldest they are of no use. */
  readonly operations: string;
}

/**
 * The versions from which a client can go on by patches, the current one last. Versions are counted; an id stands for the newest
 * version that has it, since a value may return to what it was.
 */
export class VersionRing {
  readonly #versionsMax: number;
  #versions: Version[] = [];
  /** The number of the oldest. */
  #first = 0;
  /** The length of all operations but the oldest's. */
  #length = 0;

  constructor(versionsMax: number) {
    this.#versionsMax = versionsMax;
  }

  /** The number of the current version; NO_VERSION if there is none. */
  get current(): number {
    return this.#first + this.#versions.length - 1;
  }

  /**
   * Makes a version the current one.
   * @param patch what makes it of the one before, as the text of a JSON array; null if nothing does, upon which all before are let go
   * @param lengthMax how long all patches together may be
   */
  append(id: string, patch: string | null, lengthMax: number): void {
    if (patch === null) {
      this.#first = this.current + 1;
      this.#versions = [{ id, operations: '' }];
      this.#length = 0;
      return;
    }
    const operations = patch.slice(1, -1);
    this.#versions.push({ id, operations });
    this.#length += operations.length;
    while (this.#versions.length > this.#versionsMax || this.#length > lengthMax) {
      if (this.#versions.length === 1) break;
      this.#versions.shift();
      this.#first++;
      this.#length -= this.#versions[0].operations.length;
    }
  }

  /** What leads from a version to the current one: from none that is kept, all that are, the oldest by no patch. */
  since(version: number): readonly VersionStep[] {
    const isKept = version >= this.#first;
    const steps: VersionStep[] = [];
    for (let at = isKept ? version + 1 - this.#first : 0; at < this.#versions.length; at++) {
      const { id, operations } = this.#versions[at];
      steps.push({ id, patch: isKept || at > 0 ? `[${operations}]` : null });
    }
    return steps;
  }

  /** The newest version with this id; NO_VERSION if there is none. */
  find(id: string): number {
    for (let at = this.#versions.length - 1; at >= 0; at--) {
      if (this.#versions[at].id === id) return this.#first + at;
    }
    return NO_VERSION;
  }

  /** The id of a version; null if it is not kept. */
  idOf(version: number): string | null {
    return this.#versions[version - this.#first]?.id ?? null;
  }

  /** The patch that makes the current version of this one; null if that is not kept, or longer than `lengthMax`. */
  patchFrom(version: number, lengthMax: number): string | null {
    if (version < this.#first || version > this.current) return null;
    const operations: string[] = [];
    for (let at = version + 1 - this.#first; at < this.#versions.length; at++) {
      if (this.#versions[at].operations !== '') operations.push(this.#versions[at].operations);
    }
    const patch = `[${operations.join(',')}]`;
    return patch.length > lengthMax ? null : patch;
  }
}
