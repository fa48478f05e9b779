import { Buffer } from 'node:buffer';
import { EMPTY, type Limits, TidegateError } from '../../kernel/index.ts';
import { type Resolve, replaceWhole } from './directives.ts';
import { idDirectives } from './filters.ts';
import type { GripInstruct } from './instruct.ts';

/** The only filter that changes also what an origin gives itself: it can number what it answers as it numbers what it publishes. */
const BUILD_ID = 'build-id';

/**
 * What an instruction makes of the body that comes with it; null if nothing. The ids are those that the instruction names as prev-id, which the body includes.
 * @param meta of the subscription, that of earlier instructions included
 * @throws TidegateError grip_instruct_invalid, if the meta does not say how ids are built
 */
export function bodyFilterOf(
  { channels }: Pick<GripInstruct, 'channels'>,
  meta: ReadonlyMap<string, string>,
  limits: Limits,
): BodyFilter | null {
  if (!channels.some(({ filters }) => filters.includes(BUILD_ID))) return null;
  const channelIds = new Map(channels.map(({ name, prevId }) => [name, prevId]));
  const resolve = idDirectives({ subscriptionMeta: meta, channelIds });
  if (resolve === null) {
    throw new TidegateError(
      'grip_instruct_invalid',
      'The filter build-id needs an id_format in Grip-Set-Meta, and of encodings it knows hex.',
    );
  }
  return new BodyFilter(resolve, limits.gripDirectiveBytesMax);
}

/** Replaces directives in a body that comes in slices. */
export class BodyFilter {
  readonly #resolve: Resolve;
  readonly #carryBytesMax: number;
  /** The beginning of a directive of which the rest is still to come. */
  #carry: Buffer = EMPTY;

  constructor(resolve: Resolve, carryBytesMax: number) {
    this.#resolve = resolve;
    this.#carryBytesMax = carryBytesMax;
  }

  /**
   * What to send of what has come.
   * @throws TidegateError grip_instruct_invalid, if something in it stands for nothing
   */
  update(slice: Uint8Array): Uint8Array {
    const content = this.#carry.length === 0 ? slice : Buffer.concat([this.#carry, slice]);
    const replaced = replaceWhole(content, this.#resolve);
    const restBytes = content.length - (replaced?.readBytes ?? 0);
    if (replaced === null || restBytes > this.#carryBytesMax) throw unresolved();
    this.#carry = restBytes === 0 ? EMPTY : Buffer.from(content.subarray(replaced.readBytes));
    return replaced.bytes;
  }

  /**
   * Nothing more comes.
   * @throws TidegateError grip_instruct_invalid, if something is incomplete
   */
  end(): void {
    if (this.#carry.length > 0) throw unresolved();
  }

  /** The same for a body that is there. */
  whole(body: Uint8Array): Uint8Array {
    const filtered = this.update(body);
    this.end();
    return filtered;
  }
}

const unresolved = (): TidegateError =>
  new TidegateError(
    'grip_instruct_invalid',
    'For the filter build-id, the body has a directive that is incomplete or stands for nothing; %% is a percent sign.',
  );
