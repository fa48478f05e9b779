export type Cell = string | number;

/** A table with a heading per column; columns of numbers are aligned right. */
export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
  /** Sentences below the table. */
  readonly notes?: readonly string[];
}

function text(cell: Cell): string {
  if (typeof cell === 'string') return cell;
  if (!Number.isFinite(cell)) return '-';
  if (Number.isInteger(cell) || Math.abs(cell) >= 1000) return Math.round(cell).toLocaleString('en-US');
  return cell.toFixed(Math.abs(cell) >= 100 ? 0 : Math.abs(cell) >= 10 ? 1 : 2);
}

/** The table in plain text, for a terminal. */
export function plainTable(table: Table): string {
  const { widths, lines, rightAligned } = layOut(table);
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, at) => (rightAligned[at] ? cell.padStart(widths[at]!) : cell.padEnd(widths[at]!)))
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '-'.repeat(width)).join('  ');
  return [table.title, '', line(table.columns), rule, ...lines.map(line), ...notesOf(table), ''].join('\n');
}

/** The table in Markdown, for docs/benchmarks.md. */
export function markdownTable(table: Table): string {
  const { lines, rightAligned } = layOut(table);
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rule = line(rightAligned.map((right) => (right ? '--:' : '---')));
  return [
    `### ${table.title}`,
    '',
    line(table.columns),
    rule,
    ...lines.map(line),
    ...notesOf(table),
    '',
  ].join('\n');
}

function notesOf(table: Table): string[] {
  return table.notes === undefined || table.notes.length === 0 ? [] : ['', ...table.notes];
}

function layOut(table: Table) {
  const lines = table.rows.map((row) => row.map(text));
  const widths = table.columns.map((column, at) =>
    Math.max(column.length, ...lines.map((cells) => cells[at]!.length)),
  );
  const rightAligned = table.columns.map((_, at) =>
    table.rows.every((row) => typeof row[at] === 'number' || row[at] === '-'),
  );
  return { widths, lines, rightAligned };
}
