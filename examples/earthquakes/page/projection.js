const A1 = 1.340264;
const A2 = -0.081106;
const A3 = 0.000893;
const A4 = 0.003796;
const M = Math.sqrt(3) / 2;
const RADIANS = Math.PI / 180;

/**
 * The Equal Earth projection (Šavrič, Patterson and Jenny, 2018): areas keep their proportions, so that a quake-ridden
 * country does not look larger than it is. Takes degrees; x runs from -2.71 to 2.71 and y, downwards, from -1.32 to 1.32.
 *
 * @returns {[x: number, y: number]}
 */
export function project([longitude, latitude]) {
  const theta = Math.asin(M * Math.sin(latitude * RADIANS));
  const t2 = theta * theta;
  const t6 = t2 * t2 * t2;
  const x = (longitude * RADIANS * Math.cos(theta)) / (M * (A1 + 3 * A2 * t2 + t6 * (7 * A3 + 9 * A4 * t2)));
  const y = theta * (A1 + A2 * t2 + t6 * (A3 + A4 * t2));
  return [x, -y];
}

/** The outline of the whole earth, and the meridians and parallels every 30 degrees, as lines of degrees. */
export function graticule() {
  const range = (from, to, step) =>
    Array.from({ length: Math.round((to - from) / step) + 1 }, (_, index) => from + index * step);
  const meridian = (longitude) => range(-90, 90, 3).map((latitude) => [longitude, latitude]);
  const parallel = (latitude) => range(-180, 180, 3).map((longitude) => [longitude, latitude]);
  return {
    outline: [
      ...meridian(-180),
      ...parallel(90),
      ...meridian(180).toReversed(),
      ...parallel(-90).toReversed(),
    ],
    lines: [...range(-150, 150, 30).map(meridian), ...range(-60, 60, 30).map(parallel)],
  };
}
