import { type PushpinSection, refuseLine } from './pushpin-line.ts';

/** A line of Pushpin's routes file while it is read: a condition, its targets, and what is to be told of them. */
export class RouteLine {
  readonly number: number;
  readonly condition: PushpinSection;
  readonly targets: readonly PushpinSection[];
  readonly notes: string[] = [];

  constructor(number: number, [condition, ...targets]: readonly PushpinSection[]) {
    this.number = number;
    this.condition = condition;
    this.targets = targets;
  }

  refuse(what: string): never {
    return refuseLine(this.number, what);
  }

  /** The first value of a property of the condition; undefined if it is not there. */
  get(name: string): string | undefined {
    return textOf(this.condition, name);
  }

  noteUnread(section: PushpinSection, read: ReadonlySet<string>, known: ReadonlySet<string>): void {
    for (const name of new Set(section.properties.map(([property]) => property))) {
      if (read.has(name)) continue;
      const what = known.has(name) ? 'has no counterpart in a route' : 'is not known';
      this.notes.push(`${name} ${what}, and is left out.`);
    }
  }
}

/** The first value of a property; undefined if it is not there. */
export const textOf = ({ properties }: PushpinSection, name: string): string | undefined =>
  properties.find(([property]) => property === name)?.[1];

export const has = (section: PushpinSection, name: string): boolean => textOf(section, name) !== undefined;
