const MARGIN = { top: 10, right: 88, bottom: 22, left: 34 };
const PRICES = { lowest: 5, highest: 900 };
const YEARS = { first: Date.UTC(2000, 0, 1), last: Date.UTC(2010, 2, 1) };
const YEAR_MS = 365 * 24 * 3600 * 1000;
const LABEL_HEIGHT = 15;

function element(parent, name, attributes, text) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return parent.appendChild(made);
}

/** One line per company, on a logarithmic scale, so that doubling looks the same at any price. */
export class StockChart {
  #container;
  #svg;
  #series = new Map();
  #latestMs = -Infinity;
  #size = { width: 0, height: 0 };
  #scheduled = false;

  constructor(container) {
    this.#container = container;
    this.#svg = element(container, 'svg', {
      role: 'img',
      'aria-label': 'Prices of five stocks, 2000 to 2010',
    });
    new ResizeObserver(([{ contentRect }]) => {
      this.#size = { width: contentRect.width, height: contentRect.height };
      this.#redraw();
    }).observe(container);
  }

  add({ symbol, date, price }) {
    const timeMs = Date.parse(date);
    // Time goes back far only when the replay begins anew.
    if (timeMs < this.#latestMs - YEAR_MS) {
      this.#series.clear();
      this.#latestMs = timeMs;
    }
    this.#latestMs = Math.max(this.#latestMs, timeMs);
    const points = this.#series.get(symbol) ?? [];
    points.push({ timeMs, price });
    this.#series.set(symbol, points);
    this.#redraw();
  }

  #redraw() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      this.#draw();
    });
  }

  #x(timeMs) {
    const width = this.#size.width - MARGIN.left - MARGIN.right;
    return MARGIN.left + ((timeMs - YEARS.first) / (YEARS.last - YEARS.first)) * width;
  }

  #y(price) {
    const height = this.#size.height - MARGIN.top - MARGIN.bottom;
    const share = Math.log(price / PRICES.lowest) / Math.log(PRICES.highest / PRICES.lowest);
    return MARGIN.top + (1 - share) * height;
  }

  #draw() {
    const { width, height } = this.#size;
    if (width === 0 || height === 0) return;
    this.#svg.replaceChildren();
    this.#svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
    this.#drawAxes();
    const symbols = [...this.#series.keys()].toSorted();
    for (const symbol of symbols) this.#drawLine(symbol);
    this.#drawLabels(symbols);
    this.#container.dataset.points = [...this.#series.values()].reduce(
      (sum, points) => sum + points.length,
      0,
    );
  }

  #drawAxes() {
    const right = this.#size.width - MARGIN.right;
    for (const price of [10, 30, 100, 300]) {
      const y = this.#y(price);
      element(this.#svg, 'line', { class: 'grid', x1: MARGIN.left, x2: right, y1: y, y2: y });
      element(
        this.#svg,
        'text',
        { class: 'tick', x: MARGIN.left - 6, y: y + 4, 'text-anchor': 'end' },
        String(price),
      );
    }
    const everyYears = right - MARGIN.left < 260 ? 4 : 2;
    for (let year = 2000; year <= 2010; year += everyYears) {
      const x = this.#x(Date.UTC(year, 0, 1));
      const y = this.#size.height - 6;
      element(this.#svg, 'text', { class: 'tick', x, y, 'text-anchor': 'middle' }, String(year));
    }
  }

  #drawLine(symbol) {
    const points = this.#series.get(symbol);
    const path = points.map(
      ({ timeMs, price }) => `${this.#x(timeMs).toFixed(1)},${this.#y(price).toFixed(1)}`,
    );
    element(this.#svg, 'polyline', { class: `line ${symbol}`, points: path.join(' ') });
    const [x, y] = path.at(-1).split(',');
    element(this.#svg, 'circle', { class: `end ${symbol}`, cx: x, cy: y, r: 3 });
  }

  /** Names the lines at the right edge, pushed apart where they would cover one another. */
  #drawLabels(symbols) {
    const labels = symbols
      .map((symbol) => ({ symbol, price: this.#series.get(symbol).at(-1).price }))
      .map((label) => ({ ...label, y: this.#y(label.price) }))
      .toSorted((first, second) => first.y - second.y);
    for (let i = 1; i < labels.length; i++)
      labels[i].y = Math.max(labels[i].y, labels[i - 1].y + LABEL_HEIGHT);
    const lowest = this.#size.height - MARGIN.bottom;
    for (let i = labels.length - 1; i >= 0; i--) {
      labels[i].y = Math.min(labels[i].y, lowest - (labels.length - 1 - i) * LABEL_HEIGHT);
    }
    for (const { symbol, price, y } of labels) {
      const x = this.#size.width - MARGIN.right + 10;
      const text = element(this.#svg, 'text', { class: 'label', x, y: y + 4 });
      element(text, 'tspan', { class: `name ${symbol}` }, symbol);
      element(text, 'tspan', { class: 'price', dx: 5 }, price >= 100 ? price.toFixed(0) : price.toFixed(1));
    }
  }
}
