import { type Limits, TidegateError } from '../../kernel/index.ts';
import {
  type Container,
  hasMember,
  isContainer,
  isEqual,
  isNestedDeeperThan,
  setMember,
} from './json-value.ts';
import { indexOfToken, parsePointer } from './pointer.ts';

/**
 * Applies a JSON patch (RFC 6902) to a document and returns the new one. Neither the document nor the patch is changed, though the
 * result shares with both what the operations left alone: whoever gets it must not change it. All operations take effect, or none.
 * @param operations as parsed from JSON, unchecked
 * @throws TidegateError json_patch_invalid, naming the operation by its position from 0
 */
export function applyPatch(document: unknown, operations: unknown, limits: Limits): unknown {
  if (!Array.isArray(operations)) throw invalid('The patch is not an array.');
  if (operations.length > limits.jsonPatchOperationsMax) {
    throw invalid(
      `The patch has ${operations.length} operations; the limit is ${limits.jsonPatchOperationsMax}.`,
    );
  }
  if (isNestedDeeperThan(document, limits.jsonNestingMax)) {
    throw invalid(`The document is nested deeper than ${limits.jsonNestingMax} levels.`);
  }
  const patching = new Patching(document, limits);
  for (let index = 0; index < operations.length; index++) patching.apply(operations[index], index);
  return patching.result();
}

function invalid(detail: string): TidegateError {
  return new TidegateError('json_patch_invalid', detail);
}

/** One application of a patch. */
class Patching {
  readonly #limits: Limits;
  #root: unknown;
  /** The containers that were made here, and so may be changed; all others are copied before the first change. */
  readonly #own = new Set<Container>();
  /** Values that operations `copy` have made: a few of them in a row can double the document each time. */
  #copied = 0;
  #index = 0;
  #changed = false;

  constructor(document: unknown, limits: Limits) {
    this.#root = document;
    this.#limits = limits;
  }

  apply(operation: unknown, index: number): void {
    this.#index = index;
    if (!isContainer(operation) || Array.isArray(operation)) throw this.#fault('is not an object');
    const path = this.#pointer(operation, 'path');
    switch (operation.op) {
      case 'add':
        this.#add(path, this.#value(operation));
        return;
      case 'remove':
        this.#remove(path);
        return;
      case 'replace':
        this.#replace(path, this.#value(operation));
        return;
      case 'move': {
        const from = this.#pointer(operation, 'from');
        // Section 4.4: a location cannot be moved into one of its children.
        if (from.length < path.length && from.every((token, i) => token === path[i])) {
          throw this.#fault('moves a value into itself');
        }
        this.#add(path, this.#remove(from));
        return;
      }
      case 'copy':
        this.#add(path, this.#copy(this.#get(this.#pointer(operation, 'from')), 0));
        return;
      case 'test':
        if (!isEqual(this.#get(path), this.#value(operation), this.#limits.jsonNestingMax)) {
          throw this.#fault('finds another value than it expects');
        }
        return;
      default:
        throw this.#fault('has an unknown "op"');
    }
  }

  /** The patched document. */
  result(): unknown {
    // Whoever prints the document does it recursively.
    if (this.#changed && isNestedDeeperThan(this.#root, this.#limits.jsonNestingMax)) {
      throw invalid(`The result is nested deeper than ${this.#limits.jsonNestingMax} levels.`);
    }
    return this.#root;
  }

  #fault(problem: string): TidegateError {
    return invalid(`Operation ${this.#index} ${problem}.`);
  }

  #pointer(operation: Record<string, unknown>, name: 'path' | 'from'): readonly string[] {
    const text = Object.hasOwn(operation, name) ? operation[name] : undefined;
    const tokens = typeof text === 'string' ? parsePointer(text) : null;
    if (tokens === null) throw this.#fault(`has no JSON pointer as "${name}"`);
    return tokens;
  }

  #value(operation: Record<string, unknown>): unknown {
    if (!Object.hasOwn(operation, 'value')) throw this.#fault('has no "value"');
    return operation.value;
  }

  #get(tokens: readonly string[]): unknown {
    let value = this.#root;
    for (const token of tokens) value = this.#child(value, token);
    return value;
  }

  /** What `token` names in `parent`, which must be there. */
  #child(parent: unknown, token: string): unknown {
    if (Array.isArray(parent)) return parent[this.#existing(parent, token)];
    if (!hasMember(parent, token)) throw this.#absent(token);
    return parent[token];
  }

  #existing(array: readonly unknown[], token: string): number {
    const index = indexOfToken(token);
    if (index === -1 || index >= array.length) throw this.#absent(token);
    return index;
  }

  #absent(token: string): TidegateError {
    return this.#fault(`refers to ${JSON.stringify(token)}, which is not there`);
  }

  /** The container that the last token of a non-empty path is about, ready to be changed. */
  #parent(tokens: readonly string[]): Container {
    if (!isContainer(this.#root)) throw this.#absent(tokens[0]);
    let parent = this.#owned(this.#root);
    this.#root = parent;
    for (let i = 0; i < tokens.length - 1; i++) {
      const child = this.#child(parent, tokens[i]);
      if (!isContainer(child)) throw this.#absent(tokens[i + 1]);
      const owned = this.#owned(child);
      if (owned !== child) {
        if (Array.isArray(parent)) parent[Number(tokens[i])] = owned;
        else setMember(parent, tokens[i], owned);
      }
      parent = owned;
    }
    return parent;
  }

  #owned(container: Container): Container {
    if (this.#own.has(container)) return container;
    const copy = Array.isArray(container) ? container.slice() : { ...container };
    this.#own.add(copy);
    return copy;
  }

  #add(tokens: readonly string[], value: unknown): void {
    const last = tokens.at(-1);
    this.#changed = true;
    if (last === undefined) {
      this.#root = value;
      return;
    }
    const parent = this.#parent(tokens);
    if (!Array.isArray(parent)) {
      setMember(parent, last, value);
    } else if (last === '-') {
      parent.push(value);
    } else {
      const index = indexOfToken(last);
      if (index === -1 || index > parent.length) throw this.#absent(last);
      parent.splice(index, 0, value);
    }
  }

  #remove(tokens: readonly string[]): unknown {
    const last = tokens.at(-1);
    if (last === undefined) throw this.#fault('takes the whole document away');
    this.#changed = true;
    const parent = this.#parent(tokens);
    if (Array.isArray(parent)) return parent.splice(this.#existing(parent, last), 1)[0];
    const value = this.#child(parent, last);
    delete parent[last];
    return value;
  }

  #replace(tokens: readonly string[], value: unknown): void {
    const last = tokens.at(-1);
    if (last === undefined) {
      this.#add(tokens, value);
      return;
    }
    this.#changed = true;
    const parent = this.#parent(tokens);
    if (Array.isArray(parent)) {
      parent[this.#existing(parent, last)] = value;
    } else {
      this.#child(parent, last);
      setMember(parent, last, value);
    }
  }

  /** A deep copy, so that no container that may be changed is in two places. */
  #copy(value: unknown, level: number): unknown {
    if (++this.#copied > this.#limits.jsonPatchCopiedValuesMax) {
      throw this.#fault(`copies; the limit of ${this.#limits.jsonPatchCopiedValuesMax} values is reached`);
    }
    if (!isContainer(value)) return value;
    if (level >= this.#limits.jsonNestingMax) throw this.#fault('copies what is nested too deeply');
    if (Array.isArray(value)) return value.map((child) => this.#copy(child, level + 1));
    const copy: Record<string, unknown> = {};
    for (const name of Object.keys(value)) setMember(copy, name, this.#copy(value[name], level + 1));
    return copy;
  }
}
