import { project } from './projection.js';

const FLIGHT_MS = 1800;
const FADE_MS = 900;
const FLIGHTS_MAX = 60;

/** Flights as arcs that are drawn from the origin to the destination and fade. */
export class FlightLayer {
  #flights = [];

  add({ from, to }, departedMs) {
    if (!from || !to) return;
    const start = project(from);
    const end = project(to);
    const dx = end[0] - start[0];
    const dy = end[1] - start[1];
    // Bent to the north, as great circles are seen here.
    const bend = [(start[0] + end[0]) / 2 + dy * 0.12, (start[1] + end[1]) / 2 - Math.abs(dx) * 0.18];
    this.#flights.push({ start, bend, end, departedMs });
    if (this.#flights.length > FLIGHTS_MAX) this.#flights.shift();
  }

  /** Returns whether something still moves. */
  draw(context, viewport, palette, nowMs) {
    this.#flights = this.#flights.filter(({ departedMs }) => nowMs - departedMs < FLIGHT_MS + FADE_MS);
    context.strokeStyle = palette.get('--flight');
    context.fillStyle = palette.get('--flight');
    context.lineWidth = 1.2;
    for (const { start, bend, end, departedMs } of this.#flights) {
      const age = nowMs - departedMs;
      const t = Math.min(1, age / FLIGHT_MS);
      const opacity = 1 - Math.max(0, age - FLIGHT_MS) / FADE_MS;
      const [p, q, r] = firstPart(start, bend, end, t).map((point) => viewport.toScreen(point));
      context.globalAlpha = 0.5 * opacity;
      context.beginPath();
      context.moveTo(...p);
      context.quadraticCurveTo(...q, ...r);
      context.stroke();
      context.globalAlpha = opacity;
      context.beginPath();
      context.arc(r[0], r[1], 1.9, 0, 2 * Math.PI);
      context.fill();
    }
    context.globalAlpha = 1;
    return this.#flights.length > 0;
  }
}

/** The first part of a quadratic curve, up to `t`, by de Casteljau's construction. */
function firstPart(start, bend, end, t) {
  const between = ([ax, ay], [bx, by]) => [ax + (bx - ax) * t, ay + (by - ay) * t];
  const first = between(start, bend);
  return [start, first, between(first, between(bend, end))];
}
