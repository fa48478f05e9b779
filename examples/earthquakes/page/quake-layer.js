import { depthColour, magnitudeRadius } from './palette.js';
import { project } from './projection.js';

const QUAKES_MAX = 4000;
const PULSE_MS = 1600;
const FRESH_MS = 6000;

/** The earthquakes on the map: circles as large as they were strong, coloured by their depth. */
export class QuakeLayer {
  /** By the survey's id, so that a quake of the next lap takes the place of the same one. Oldest first. */
  #quakes = new Map();

  add(quake, arrivedMs, how) {
    this.#quakes.delete(quake.id);
    this.#quakes.set(quake.id, {
      quake,
      point: project([quake.longitude, quake.latitude]),
      radius: magnitudeRadius(quake.magnitude),
      colour: depthColour(quake.depthKm),
      // What happened before the page was opened does not pulse.
      arrivedMs: how === 'live' ? arrivedMs : -Infinity,
    });
    if (this.#quakes.size > QUAKES_MAX) this.#quakes.delete(this.#quakes.keys().next().value);
  }

  /** Returns whether something still moves. */
  draw(context, viewport, palette, nowMs) {
    const grow = growth(viewport);
    const pulses = [];
    let moving = false;
    for (const item of this.#quakes.values()) {
      const [x, y] = viewport.toScreen(item.point);
      if (x < -50 || y < -50 || x > viewport.width + 50 || y > viewport.height + 50) continue;
      const age = nowMs - item.arrivedMs;
      const freshness = Math.max(0, 1 - age / FRESH_MS);
      const radius = item.radius * grow;
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.fillStyle = palette.get(item.colour);
      context.globalAlpha = 0.34 + 0.5 * freshness;
      context.fill();
      context.globalAlpha = 0.75 + 0.25 * freshness;
      context.strokeStyle = palette.get(item.colour);
      context.lineWidth = 0.9;
      context.stroke();
      if (freshness > 0) moving = true;
      if (age < PULSE_MS) pulses.push({ x, y, radius, item, t: age / PULSE_MS });
    }
    for (const { x, y, radius, item, t } of pulses) {
      const ease = 1 - (1 - t) ** 3;
      context.beginPath();
      context.arc(x, y, radius + ease * (10 + radius * 1.8), 0, 2 * Math.PI);
      context.globalAlpha = 0.9 * (1 - t);
      context.strokeStyle = palette.get(item.colour);
      context.lineWidth = 2.2 * (1 - t) + 0.4;
      context.stroke();
    }
    context.globalAlpha = 1;
    return moving;
  }

  /** The quake under a point of the screen, the smallest if there are several, or null. */
  at(screenX, screenY, viewport) {
    const grow = growth(viewport);
    let found = null;
    for (const item of this.#quakes.values()) {
      const [x, y] = viewport.toScreen(item.point);
      const reach = Math.max(5, item.radius * grow + 2);
      if (Math.hypot(x - screenX, y - screenY) > reach) continue;
      if (found === null || item.radius <= found.item.radius) found = { item, x, y };
    }
    return found === null ? null : { quake: found.item.quake, x: found.x, y: found.y };
  }
}

/** Circles grow a little with the zoom, and shrink a little on small screens. */
function growth(viewport) {
  const wholeEarth = viewport.width / 5.42;
  const zoom = Math.max(1, viewport.scale / wholeEarth);
  return Math.min(1.7, zoom ** 0.22) * Math.min(1, Math.max(0.7, viewport.width / 900));
}
