const COLUMNS = ['scheduled', 'to', 'expected', 'status'];
const FLASH = { backgroundColor: ['var(--flash)', 'transparent'] };
const FLASH_MS = 1800;

/** The rows of a board. A flight keeps its row, so that one sees what changes about it. */
export class DepartureTable {
  #body;
  #rows = new Map();

  /** @param {HTMLTableSectionElement} body */
  constructor(body) {
    this.#body = body;
  }

  /** Forgets the rows, so that those of another airport do not look like news. */
  clear() {
    this.#rows.clear();
    this.#body.replaceChildren();
  }

  /** @param {Record<string, { scheduled: string }>} departures by id */
  show(departures) {
    const isFirst = this.#rows.size === 0;
    const gone = new Map(this.#rows);
    for (const [place, [id, departure]] of Object.entries(departures).sort(bySchedule).entries()) {
      gone.delete(id);
      const row = this.#rows.get(id) ?? this.#addRow(id);
      const hasChanged = this.#fill(row, departure);
      if (this.#body.children[place] !== row)
        this.#body.insertBefore(row, this.#body.children[place] ?? null);
      if (hasChanged && !isFirst) row.animate(FLASH, { duration: FLASH_MS, easing: 'ease-out' });
    }
    for (const [id, row] of gone) {
      this.#rows.delete(id);
      row.remove();
    }
  }

  #addRow(id) {
    const row = document.createElement('tr');
    row.id = id;
    for (const name of COLUMNS) row.insertCell().className = name;
    this.#rows.set(id, row);
    return row;
  }

  #fill(row, { scheduled, to, city, expected, status }) {
    const isLate = expected !== scheduled;
    const texts = [scheduled, city, isLate ? expected : '', status];
    let hasChanged = false;
    for (const [column, text] of texts.entries()) {
      const cell = row.cells[column];
      if (cell.textContent === text) continue;
      cell.textContent = text;
      hasChanged = true;
    }
    row.cells[1].dataset.code = to;
    row.dataset.status = status;
    return hasChanged;
  }
}

function bySchedule([id, a], [otherId, b]) {
  return a.scheduled.localeCompare(b.scheduled) || id.localeCompare(otherId);
}
