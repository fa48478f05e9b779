/** What two arrays have in common in the same order, and what it took to find out. */
export interface ArrayMatch {
  /** For each element of the first, the index of its partner in the second, or -1; null if it was not found out. */
  readonly partners: Int32Array | null;
  /** At most what was allowed, and once the length of the shorter array. */
  readonly steps: number;
}

/**
 * A longest common subsequence of two arrays, by Myers' algorithm: with D elements to remove and add it takes up to
 * D * (D + 1) / 2 steps, and as many more as there are elements in common on the way. So arrays may be long where they differ little,
 * and what differs a lot is given up soon. Objects with their members in another order count as different.
 */
export function matchArrays(
  before: readonly unknown[],
  after: readonly unknown[],
  stepsMax: number,
): ArrayMatch {
  // Equal elements get equal numbers, so that each is printed once and not for each comparison.
  const numbers = new Map<string, number>();
  const left = numbered(before, numbers);
  const right = numbered(after, numbers);

  const editsMax = Math.min(left.length + right.length, Math.floor(Math.sqrt(2 * stepsMax)));
  /** reached[k]: how far the first array is used up on diagonal k, where it is k elements ahead of the second. */
  const reached = new Int32Array(2 * editsMax + 3);
  const zero = editsMax + 1;
  const history: Int32Array[] = [];
  let steps = 0;
  for (let edits = 0; edits <= editsMax; edits++) {
    history.push(reached.slice(zero - edits - 1, zero + edits + 2));
    for (let k = -edits; k <= edits; k += 2) {
      let x = comesFromAbove(reached, zero, k, edits) ? reached[zero + k + 1] : reached[zero + k - 1] + 1;
      const start = x;
      while (x < left.length && x - k < right.length && left[x] === right[x - k]) x++;
      steps += 1 + x - start;
      reached[zero + k] = x;
      if (x >= left.length && x - k >= right.length) {
        return { partners: partnersAlong(history, left.length, right.length), steps };
      }
      if (steps > stepsMax) return { partners: null, steps };
    }
  }
  return { partners: null, steps };
}

/** Whether diagonal `k` is best reached by adding an element (from diagonal k + 1), and not by removing one (from k - 1). */
function comesFromAbove(reached: Int32Array, zero: number, k: number, edits: number): boolean {
  return k === -edits || (k !== edits && reached[zero + k - 1] < reached[zero + k + 1]);
}

/** Goes back from the end of both arrays, along the diagonals of what is equal. */
function partnersAlong(history: readonly Int32Array[], leftLength: number, rightLength: number): Int32Array {
  const partners = new Int32Array(leftLength).fill(-1);
  let x = leftLength;
  let y = rightLength;
  for (let edits = history.length - 1; edits >= 0; edits--) {
    const reached = history[edits];
    const zero = edits + 1;
    const k = x - y;
    const from = edits === 0 ? 0 : comesFromAbove(reached, zero, k, edits) ? k + 1 : k - 1;
    const fromX = edits === 0 ? 0 : reached[zero + from];
    const fromY = fromX - from;
    while (x > fromX && y > fromY) partners[--x] = --y;
    x = fromX;
    y = fromY;
  }
  return partners;
}

function numbered(elements: readonly unknown[], numbers: Map<string, number>): Uint32Array {
  const result = new Uint32Array(elements.length);
  for (let i = 0; i < elements.length; i++) {
    const text = JSON.stringify(elements[i]);
    let number = numbers.get(text);
    if (number === undefined) {
      number = numbers.size;
      numbers.set(text, number);
    }
    result[i] = number;
  }
  return result;
}
