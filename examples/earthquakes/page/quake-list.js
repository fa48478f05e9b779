import { depthColour } from './palette.js';

// More than a narrow window shows; the style sheet hides the rest there.
const ROWS = 24;
const TIME = new Intl.DateTimeFormat('en', {
  weekday: 'short',
  hour: '2-digit',
  minute: '2-digit',
  hour12: false,
  timeZone: 'UTC',
});

export function formatTime(timeMs) {
  return `${TIME.format(timeMs)} UTC`;
}

export function formatMagnitude(magnitude) {
  // Very weak quakes have magnitudes below 0, but none is minus 0.
  return (Math.round(magnitude * 10) / 10 || 0).toFixed(1);
}

/** The latest earthquakes in words, the newest on top. */
export class QuakeList {
  #list;
  #due = [];

  constructor(list) {
    this.#list = list;
  }

  add(quake) {
    if (this.#due.length === 0) requestAnimationFrame(() => this.#render());
    this.#due.push(quake);
  }

  #render() {
    const quakes = this.#due.slice(-ROWS);
    this.#due = [];
    for (const quake of quakes) this.#list.prepend(row(quake));
    while (this.#list.children.length > ROWS) this.#list.lastElementChild.remove();
  }
}

function row({ place, magnitude, depthKm, time }) {
  const item = document.createElement('li');
  const chip = document.createElement('b');
  chip.textContent = formatMagnitude(magnitude);
  chip.style.setProperty('--colour', `var(${depthColour(depthKm)})`);
  const where = document.createElement('span');
  where.className = 'place';
  where.textContent = place;
  where.title = place;
  const detail = document.createElement('span');
  detail.className = 'detail';
  detail.textContent = `${Math.max(0, Math.round(depthKm))} km deep · ${formatTime(time)}`;
  item.append(chip, where, detail);
  return item;
}
