/** The depths at which the colours change, in kilometres, and how the classes are called. */
export const DEPTHS = [
  { belowKm: 10, name: '0', colour: '--depth-1' },
  { belowKm: 35, name: '10', colour: '--depth-2' },
  { belowKm: 70, name: '35', colour: '--depth-3' },
  { belowKm: 300, name: '70', colour: '--depth-4' },
  { belowKm: Infinity, name: '300 km', colour: '--depth-5' },
];

export function depthColour(depthKm) {
  return DEPTHS.find(({ belowKm }) => depthKm < belowKm).colour;
}

/** Pixels. A magnitude is a logarithm, so the radius grows by a factor with each. */
export function magnitudeRadius(magnitude) {
  return Math.max(1.3, 1.55 * 1.52 ** magnitude);
}

/** The colours of the style sheet as they are in the theme of now, for the canvas. `onChange` is called when it changes. */
export class Palette {
  #values = new Map();

  constructor(onChange) {
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      this.#values.clear();
      onChange();
    });
  }

  get(name) {
    let value = this.#values.get(name);
    if (value === undefined) {
      value = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
      this.#values.set(name, value);
    }
    return value;
  }
}
