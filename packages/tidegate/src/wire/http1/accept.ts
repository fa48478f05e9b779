/** A media range of Accept: RFC 9110, section 12.5.1. */
interface MediaRange {
  readonly type: string;
  readonly quality: number;
}

const QUALITY = /^[ \t]*q[ \t]*=[ \t]*(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)[ \t]*$/i;

/** How closely a range names a media type: 3 exactly, 2 by its main type, 1 by the wildcard, 0 not at all. */
function closeness(range: string, mediaType: string): number {
  if (range === mediaType) return 3;
  if (range === '*/*') return 1;
  return range.endsWith('/*') && mediaType.startsWith(range.slice(0, -1)) ? 2 : 0;
}

function parseAccept(accept: string): MediaRange[] {
  return accept.split(',').map((element) => {
    const [range, ...parameters] = element.split(';');
    let quality = 1;
    for (const parameter of parameters) {
      const match = QUALITY.exec(parameter);
      if (match !== null) quality = Number(match[1]);
    }
    return { type: range.trim().toLowerCase(), quality };
  });
}

/**
 * The media type that an Accept header likes best; undefined if it likes none. Of equals, the one that is named most closely wins,
 * then the one that is named first, then the one that is offered first.
 */
export function preferredType<Offer extends string>(
  accept: string,
  offers: readonly Offer[],
): Offer | undefined {
  const ranges = parseAccept(accept);
  let best: Offer | undefined;
  let bestRank: readonly [quality: number, closeness: number, place: number] = [0, 0, 0];
  for (const offer of offers) {
    const rank = rankOf(offer, ranges);
    if (rank[0] > 0 && isHigher(rank, bestRank)) {
      best = offer;
      bestRank = rank;
    }
  }
  return best;
}

/** The quality that the closest range gives the offer, how close it is, and its place from the end. */
function rankOf(offer: string, ranges: readonly MediaRange[]): readonly [number, number, number] {
  let rank: readonly [number, number, number] = [0, 0, 0];
  ranges.forEach(({ type, quality }, index) => {
    const close = closeness(type, offer);
    if (close > rank[1]) rank = [quality, close, ranges.length - index];
  });
  return rank;
}

function isHigher(a: readonly number[], b: readonly number[]): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i] > b[i];
  return false;
}
