import type { Limits } from '../../kernel/index.ts';
import { matchArrays } from './array-match.ts';
import { isContainer, isEqual, isNestedDeeperThan } from './json-value.ts';
import type { PatchOperation } from './operation.ts';
import { formatPointer } from './pointer.ts';

/**
 * A JSON patch (RFC 6902) that makes `after` of `before`: empty if they are equal. Objects are compared by member, arrays by what
 * they have in common in the same order; so the patch is short, if not always the shortest. Where comparing would cost too much
 * (see the limits json*), arrays are compared by position, and a patch with too many operations becomes one that replaces all.
 * The values in it are parts of `after`, not copies.
 */
export function diffJson(before: unknown, after: unknown, limits: Limits): readonly PatchOperation[] {
  const levels = limits.jsonNestingMax;
  if (isNestedDeeperThan(before, levels) || isNestedDeeperThan(after, levels)) return replaceAll(after);
  const comparison = new Comparison(limits);
  comparison.compare(before, after);
  return comparison.operations.length > limits.jsonPatchOperationsMax
    ? replaceAll(after)
    : comparison.operations;
}

const replaceAll = (value: unknown): readonly PatchOperation[] => [{ op: 'replace', path: '', value }];

class Comparison {
  readonly operations: PatchOperation[] = [];
  readonly #limits: Limits;
  /** Where the comparison is. */
  readonly #path: string[] = [];
  /** How many steps may still be taken to find what arrays have in common. */
  #stepsLeft: number;

  constructor(limits: Limits) {
    this.#limits = limits;
    this.#stepsLeft = limits.jsonDiffStepsMax;
  }

  compare(before: unknown, after: unknown): void {
    if (before === after || this.#isFull) return;
    if (!isContainer(before) || !isContainer(after) || Array.isArray(before) !== Array.isArray(after)) {
      this.operations.push({ op: 'replace', path: formatPointer(this.#path), value: after });
    } else if (Array.isArray(before)) {
      this.#compareArrays(before, after as readonly unknown[]);
    } else {
      this.#compareObjects(before, after as Readonly<Record<string, unknown>>);
    }
  }

  /** There are more operations than a patch may have: going on would be for nothing. */
  get #isFull(): boolean {
    return this.operations.length > this.#limits.jsonPatchOperationsMax;
  }

  #compareObjects(before: Readonly<Record<string, unknown>>, after: Readonly<Record<string, unknown>>): void {
    for (const name of Object.keys(before)) {
      if (!Object.hasOwn(after, name))
        this.operations.push({ op: 'remove', path: formatPointer([...this.#path, name]) });
    }
    for (const name of Object.keys(after)) {
      if (this.#isFull) return;
      this.#path.push(name);
      if (Object.hasOwn(before, name)) this.compare(before[name], after[name]);
      else this.operations.push({ op: 'add', path: formatPointer(this.#path), value: after[name] });
      this.#path.pop();
    }
  }

  #compareArrays(before: readonly unknown[], after: readonly unknown[]): void {
    const levels = this.#limits.jsonNestingMax;
    const shorter = Math.min(before.length, after.length);
    let start = 0;
    while (start < shorter && isEqual(before[start], after[start], levels)) start++;
    let ending = 0;
    while (ending < shorter - start && isEqual(before.at(-1 - ending), after.at(-1 - ending), levels))
      ending++;

    const beforeEnd = before.length - ending;
    const afterEnd = after.length - ending;
    const partners = this.#partners(before.slice(start, beforeEnd), after.slice(start, afterEnd));

    // Operations are in the order of the array, so that `at` is the position at the time when each is applied.
    let at = start;
    let from = start;
    let to = start;
    for (let i = start; i <= beforeEnd && !this.#isFull; i++) {
      const partner = i === beforeEnd ? afterEnd - start : (partners?.[i - start] ?? -1);
      if (partner === -1) continue;
      const match = start + partner;
      // Between two elements that stay, the old ones become the new ones, pair by pair, as far as there are pairs.
      for (; from < i && to < match; at++) this.#compareAt(at, before[from++], after[to++]);
      for (; from < i; from++) this.operations.push({ op: 'remove', path: this.#pathAt(at) });
      for (; to < match; to++)
        this.operations.push({ op: 'add', path: this.#pathAt(at++), value: after[to] });
      from = i + 1;
      to = match + 1;
      at++;
    }
  }

  /** For each element of the first array its partner in the second, or -1; null if there are none, or it is too much to ask. */
  #partners(before: readonly unknown[], after: readonly unknown[]): Int32Array | null {
    if (before.length === 0 || after.length === 0 || this.#stepsLeft <= 0) return null;
    const { partners, steps } = matchArrays(before, after, this.#stepsLeft);
    this.#stepsLeft -= steps;
    return partners;
  }

  #compareAt(index: number, before: unknown, after: unknown): void {
    this.#path.push(String(index));
    this.compare(before, after);
    this.#path.pop();
  }

  #pathAt(index: number): string {
    return formatPointer([...this.#path, String(index)]);
  }
}
