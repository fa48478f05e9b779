const PHASES = { connecting: 'connecting', live: 'live', reconnecting: 'reconnecting' };

/** Shows how one connection is doing: its protocol, its state, and how much has come through it. */
export class FeedStatus {
  #element = document.createElement('li');
  #phase = document.createElement('span');
  #detail = document.createElement('span');
  #count = 0;
  #gaps = 0;
  #state = { phase: 'connecting', cursor: '' };

  constructor(list, { name, protocol }) {
    const title = document.createElement('b');
    title.textContent = name;
    const kind = document.createElement('span');
    kind.className = 'protocol';
    kind.textContent = protocol;
    this.#phase.className = 'phase';
    this.#phase.setAttribute('role', 'status');
    this.#detail.className = 'detail';
    this.#element.dataset.feed = name.toLowerCase();
    this.#element.append(title, kind, this.#phase, this.#detail);
    list.append(this.#element);
    this.#render();
  }

  received() {
    this.#count++;
    this.#renderDetail();
  }

  gap() {
    this.#gaps++;
    this.#renderDetail();
  }

  changed(state) {
    this.#state = state;
    this.#render();
  }

  #render() {
    const { phase } = this.#state;
    this.#element.dataset.phase = phase;
    this.#phase.textContent = PHASES[phase];
    this.#renderDetail();
  }

  #renderDetail() {
    const { phase, cursor } = this.#state;
    const gaps = this.#gaps === 0 ? '' : ` · ${this.#gaps} gaps`;
    this.#element.dataset.count = this.#count;
    this.#detail.textContent =
      phase === 'reconnecting'
        ? `from ${shorten(cursor)}`
        : `${this.#count.toLocaleString('en')} received${gaps}`;
    this.#detail.title = phase === 'reconnecting' ? `goes on from the cursor ${cursor}` : '';
  }
}

/** A cursor is opaque and may be long; its end is enough to see how far it got. */
function shorten(cursor) {
  return cursor.length <= 10 ? cursor : `…${cursor.slice(-9)}`;
}
