import { FlightLayer } from './flight-layer.js';
import { Palette } from './palette.js';
import { QuakeLayer } from './quake-layer.js';
import { VIEWS, Viewport } from './viewport.js';
import { WorldLayer } from './world-layer.js';

/** The map: the world below, quakes and flights above it, and what the pointer and the buttons do. */
export class QuakeMap {
  #canvases;
  #contexts;
  #world;
  #quakes = new QuakeLayer();
  #flights = new FlightLayer();
  #viewport = new Viewport();
  #palette = new Palette(() => this.#redraw('all'));
  #still = matchMedia('(prefers-reduced-motion: reduce)');
  #due = { world: false, overlay: false, scheduled: false };
  #buttons = [];
  #pointers = new Map();

  constructor({ container, buttons, topology, onPoint }) {
    this.#world = new WorldLayer(topology);
    this.#canvases = [0, 1].map(() => container.appendChild(document.createElement('canvas')));
    this.#contexts = this.#canvases.map((canvas) => canvas.getContext('2d'));
    new ResizeObserver(([{ contentRect }]) => this.#resize(contentRect)).observe(container);
    this.#addButtons(buttons);
    this.#addPointer(container, onPoint);
  }

  addQuake(quake, how) {
    this.#quakes.add(quake, performance.now(), this.#still.matches ? 'history' : how);
    this.#redraw('overlay');
  }

  addFlight(flight) {
    if (this.#still.matches || document.hidden) return;
    this.#flights.add(flight, performance.now());
    this.#redraw('overlay');
  }

  #resize({ width, height }) {
    const density = Math.min(3, devicePixelRatio);
    for (const canvas of this.#canvases) {
      canvas.width = Math.round(width * density);
      canvas.height = Math.round(height * density);
    }
    for (const context of this.#contexts) context.setTransform(density, 0, 0, density, 0, 0);
    this.#viewport.resize(width, height);
    this.#redraw('all');
  }

  #redraw(what) {
    this.#due.overlay = true;
    if (what === 'all') this.#due.world = true;
    if (this.#due.scheduled) return;
    this.#due.scheduled = true;
    requestAnimationFrame((nowMs) => this.#draw(nowMs));
  }

  #draw(nowMs) {
    const moved = this.#viewport.advance(nowMs);
    const [world, overlay] = this.#contexts;
    if (moved || this.#due.world) this.#world.draw(world, this.#viewport, this.#palette);
    overlay.clearRect(0, 0, this.#viewport.width, this.#viewport.height);
    const flying = this.#flights.draw(overlay, this.#viewport, this.#palette, nowMs);
    const pulsing = this.#quakes.draw(overlay, this.#viewport, this.#palette, nowMs);
    this.#due = { world: false, overlay: false, scheduled: false };
    for (const button of this.#buttons) {
      button.setAttribute('aria-pressed', String(button.dataset.view === this.#viewport.view));
    }
    if (moved) this.#redraw('all');
    else if (flying || pulsing) this.#redraw('overlay');
  }

  #addButtons(container) {
    const add = (text, label, act) => {
      const button = container.appendChild(document.createElement('button'));
      button.type = 'button';
      button.textContent = text;
      button.setAttribute('aria-label', label);
      button.addEventListener('click', act);
      return button;
    };
    for (const view of Object.keys(VIEWS)) {
      const button = add(view, view, () => {
        this.#viewport.show(view, performance.now());
        this.#redraw('all');
      });
      button.dataset.view = view;
      this.#buttons.push(button);
    }
    add('+', 'Zoom in', () => this.#zoomMiddle(1.6));
    add('−', 'Zoom out', () => this.#zoomMiddle(1 / 1.6));
  }

  #zoomMiddle(factor) {
    this.#viewport.zoom(factor, this.#viewport.width / 2, this.#viewport.height / 2);
    this.#redraw('all');
  }

  #addPointer(container, onPoint) {
    const position = (event) => {
      const box = container.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    container.addEventListener('pointerdown', (event) => {
      container.setPointerCapture(event.pointerId);
      this.#pointers.set(event.pointerId, position(event));
      onPoint(null);
    });
    container.addEventListener('pointermove', (event) => {
      const [x, y] = position(event);
      if (!this.#pointers.has(event.pointerId)) {
        onPoint(this.#quakes.at(x, y, this.#viewport));
        return;
      }
      this.#drag(event.pointerId, x, y);
      this.#redraw('all');
    });
    const release = (event) => this.#pointers.delete(event.pointerId);
    container.addEventListener('pointerup', release);
    container.addEventListener('pointercancel', release);
    container.addEventListener('pointerleave', () => onPoint(null));
    container.addEventListener(
      'wheel',
      (event) => {
        event.preventDefault();
        this.#viewport.zoom(Math.exp(-event.deltaY * 0.0015), ...position(event));
        this.#redraw('all');
      },
      { passive: false },
    );
  }

  /** One pointer moves the map; two also change its scale, by how far apart they are. */
  #drag(pointerId, x, y) {
    const [beforeX, beforeY] = this.#pointers.get(pointerId);
    const other = [...this.#pointers].find(([id]) => id !== pointerId)?.[1];
    this.#pointers.set(pointerId, [x, y]);
    if (other === undefined) {
      this.#viewport.pan(x - beforeX, y - beforeY);
      return;
    }
    const apartBefore = Math.hypot(beforeX - other[0], beforeY - other[1]);
    const apart = Math.hypot(x - other[0], y - other[1]);
    this.#viewport.pan((x - beforeX) / 2, (y - beforeY) / 2);
    this.#viewport.zoom(apart / Math.max(1, apartBefore), (x + other[0]) / 2, (y + other[1]) / 2);
  }
}
