import { graticule, project } from './projection.js';
import { readRings } from './topology.js';

/** Draws what does not change: the sea, the continents, and the lines of the globe. */
export class WorldLayer {
  #land;
  #outline;
  #lines;

  constructor(topology) {
    const { outline, lines } = graticule();
    this.#land = readRings(topology, 'land').map((ring) => ring.map(project));
    this.#outline = outline.map(project);
    this.#lines = lines.map((line) => line.map(project));
  }

  draw(context, viewport, palette) {
    context.clearRect(0, 0, viewport.width, viewport.height);
    const trace = (points, close) => {
      points.forEach((point, index) => {
        const [x, y] = viewport.toScreen(point);
        if (index === 0) context.moveTo(x, y);
        else context.lineTo(x, y);
      });
      if (close) context.closePath();
    };
    context.beginPath();
    trace(this.#outline, true);
    context.fillStyle = palette.get('--sea');
    context.fill();
    context.save();
    context.clip();
    context.beginPath();
    for (const line of this.#lines) trace(line, false);
    context.strokeStyle = palette.get('--graticule');
    context.lineWidth = 1;
    context.stroke();
    context.beginPath();
    for (const ring of this.#land) trace(ring, true);
    context.fillStyle = palette.get('--land');
    context.fill('evenodd');
    context.strokeStyle = palette.get('--coast');
    context.lineWidth = 0.75;
    context.lineJoin = 'round';
    context.stroke();
    context.restore();
  }
}
