import { encodeCursor } from './cursor.ts';
import { type Source, sourceEnd } from './source.ts';

/** A position in everything that a subscription reads: the next offset of each of its sources, in their order. */
export type Place = readonly number[];

/** Where the live subscribers of these sources stand. */
export function livePlace(sources: readonly Source[]): Place {
  return sources.map(sourceEnd);
}

export function isLive(place: Place, sources: readonly Source[]): boolean {
  for (let i = 0; i < sources.length; i++) if (place[i] < sourceEnd(sources[i])) return false;
  return true;
}

/** What a map of places is keyed by; a number for the many subscriptions that read one partition. */
export function placeKey(place: Place): number | string {
  return place.length === 1 ? place[0] : place.join();
}

/** How many records, wanted or not, lie between a place and the live subscribers. */
export function distanceToLive(place: Place, sources: readonly Source[]): number {
  let distance = 0;
  for (let i = 0; i < sources.length; i++) distance += Math.max(0, sourceEnd(sources[i]) - place[i]);
  return distance;
}

/** The cursor of a place. Storage that was read to its barrier is done with and is left out. */
export function placeCursor(place: Place, sources: readonly Source[]): string {
  if (sources.length === 1) return `${sources[0].cursorPrefix}${place[0]}`;
  const offsets = new Map<Source['topic'], Map<number, number>>();
  for (let i = 0; i < sources.length; i++) {
    const { topic, partition, barrier } = sources[i];
    if (barrier !== null && place[i] >= barrier) continue;
    let ofTopic = offsets.get(topic);
    if (ofTopic === undefined) {
      ofTopic = new Map();
      offsets.set(topic, ofTopic);
    }
    ofTopic.set(partition, place[i]);
  }
  return encodeCursor(
    [...offsets].map(([{ name, epoch }, ofTopic]) => ({ topic: name, epoch, offsets: ofTopic })),
  );
}

/**
 * The cursor of a place as the text before and after the offset of one source, for making the cursors of many messages of
 * that source: only the offset changes.
 */
export function cursorAround(
  place: Place,
  sources: readonly Source[],
  index: number,
): readonly [string, string] {
  if (sources.length === 1) return [sources[0].cursorPrefix, ''];
  // An offset that no place has marks the spot.
  const marked = placeCursor(
    place.map((offset, i) => (i === index ? Number.MAX_SAFE_INTEGER : offset)),
    sources.map((source, i) => (i === index ? { ...source, barrier: null } : source)),
  );
  const at = marked.indexOf(MARK) + 1;
  return [marked.slice(0, at), marked.slice(at + MARK.length - 1)];
}

/** With what separates it from the partition, since a topic may be named like a number. */
const MARK = `~${Number.MAX_SAFE_INTEGER}`;
