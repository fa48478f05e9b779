const ROWS = 8;

/** The airports with the most departures so far, and how late their flights were. */
export class AirportBars {
  #list;
  #total;
  #airports = new Map();
  #flights = 0;
  #scheduled = false;

  constructor(list, total) {
    this.#list = list;
    this.#total = total;
  }

  add({ origin, city, delayMinutes }) {
    this.#flights++;
    const airport = this.#airports.get(origin) ?? { origin, city, departures: 0, delayMinutes: 0 };
    airport.departures++;
    airport.delayMinutes += delayMinutes;
    this.#airports.set(origin, airport);
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      this.#render();
    });
  }

  #render() {
    const busiest = [...this.#airports.values()]
      .toSorted((first, second) => second.departures - first.departures)
      .slice(0, ROWS);
    const most = busiest[0].departures;
    this.#list.replaceChildren(...busiest.map((airport) => row(airport, most)));
    this.#total.textContent = `${this.#flights.toLocaleString('en')} flights`;
  }
}

function row({ origin, city, departures, delayMinutes }, most) {
  const item = document.createElement('li');
  const code = document.createElement('b');
  code.textContent = origin;
  const bar = document.createElement('span');
  bar.className = 'bar';
  bar.style.setProperty('--share', departures / most);
  const name = document.createElement('span');
  name.className = 'city';
  name.textContent = city;
  bar.append(name);
  const count = document.createElement('span');
  count.className = 'count';
  count.textContent = departures;
  const delay = document.createElement('span');
  delay.className = 'detail';
  const mean = Math.round(delayMinutes / departures);
  delay.textContent = mean > 0 ? `${mean} min late` : mean < 0 ? `${-mean} min early` : 'on time';
  item.append(code, bar, count, delay);
  return item;
}
