import { project } from './projection.js';

const ZOOM_MAX = 60;
const GLIDE_MS = 700;
/** Pixels at the top that the counters and the buttons cover. */
const COVERED_PX = 36;

/** Places that the map can show, by their corners in degrees. */
export const VIEWS = {
  World: { west: [-180, 0], east: [180, 0], north: [0, 84], south: [0, -62] },
  'North America': { west: [-165, 30], east: [-62, 30], north: [-100, 70], south: [-100, 15] },
  California: { west: [-125.5, 37], east: [-112, 37], north: [-119, 42.5], south: [-119, 32] },
};

const easeInOut = (t) => (t < 0.5 ? 4 * t ** 3 : 1 - (-2 * t + 2) ** 3 / 2);

/** Which part of the projected earth is on the screen, and how it gets from one part to another. */
export class Viewport {
  /** The projected point in the middle, and pixels per projected unit. */
  x = 0;
  y = 0;
  scale = 100;
  width = 1;
  height = 1;
  #view = 'World';
  #glide = null;

  /** The name of the view that was chosen last; empty after the map was moved by hand. */
  get view() {
    return this.#view;
  }

  resize(width, height) {
    this.width = width;
    this.height = height;
    if (this.#view) Object.assign(this, this.#target(this.#view));
  }

  toScreen([x, y]) {
    return [(x - this.x) * this.scale + this.width / 2, (y - this.y) * this.scale + this.height / 2];
  }

  /** Goes to a view, at once where motion is unwelcome. */
  show(view, nowMs) {
    this.#view = view;
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    const { x, y, scale } = this;
    const to = this.#target(view);
    if (still) Object.assign(this, to);
    else this.#glide = { from: { x, y, scale }, to, startMs: nowMs };
  }

  /** Moves on towards the view that was chosen. Returns whether it moved. */
  advance(nowMs) {
    if (this.#glide === null) return false;
    const { from, to, startMs } = this.#glide;
    const t = easeInOut(Math.min(1, Math.max(0, (nowMs - startMs) / GLIDE_MS)));
    // The width of the view changes evenly, so that far and near take equal parts of the time.
    this.scale = from.scale * (to.scale / from.scale) ** t;
    const way =
      to.scale === from.scale ? t : (1 / from.scale - 1 / this.scale) / (1 / from.scale - 1 / to.scale);
    this.x = from.x + (to.x - from.x) * way;
    this.y = from.y + (to.y - from.y) * way;
    if (t === 1) this.#glide = null;
    return true;
  }

  pan(dx, dy) {
    this.#byHand();
    this.x -= dx / this.scale;
    this.y -= dy / this.scale;
    this.#stayOnEarth();
  }

  /** Zooms so that the place at a point of the screen stays there. */
  zoom(factor, screenX, screenY) {
    this.#byHand();
    const whole = this.#target('World').scale;
    const scale = Math.min(whole * ZOOM_MAX, Math.max(whole * 0.9, this.scale * factor));
    this.x += (screenX - this.width / 2) * (1 / this.scale - 1 / scale);
    this.y += (screenY - this.height / 2) * (1 / this.scale - 1 / scale);
    this.scale = scale;
    this.#stayOnEarth();
  }

  #byHand() {
    this.#view = '';
    this.#glide = null;
  }

  #stayOnEarth() {
    this.x = Math.max(-2.7, Math.min(2.7, this.x));
    this.y = Math.max(-1.3, Math.min(1.3, this.y));
  }

  #target(view) {
    const { west, east, north, south } = VIEWS[view];
    const [left] = project(west);
    const [right] = project(east);
    const [, top] = project(north);
    const [, bottom] = project(south);
    const scale = 0.97 * Math.min(this.width / (right - left), (this.height - COVERED_PX) / (bottom - top));
    return { x: (left + right) / 2, y: (top + bottom) / 2 - COVERED_PX / 2 / scale, scale };
  }
}
