/** A topic as the admin port describes it. */
export interface TopicResource {
  readonly name: string;
  readonly spec: {
    readonly partitions: number;
    readonly durability: string;
    readonly retention: {
      readonly ageSeconds: number | null;
      readonly sizeBytes: number | null;
      readonly tombstoneSeconds: number;
    };
    readonly compacted: boolean;
    readonly keyIndex: boolean;
  };
  readonly status: {
    readonly epoch: string;
    readonly created: string;
    readonly records: number;
    readonly bytes: number;
    readonly partitions: readonly {
      readonly partition: number;
      readonly start: number;
      readonly end: number;
    }[];
  };
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** A size as people read it: `1.5 MiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`;
}

const SPANS = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
] as const;

/** A time span in the largest unit that divides it: `7 days`. */
export function formatSeconds(seconds: number): string {
  const [unit, size] =
    SPANS.find(([, size]) => seconds >= size && seconds % size === 0) ?? (['second', 1] as const);
  const count = seconds / size;
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

/** What a topic keeps, in words. */
export function formatRetention({ spec }: TopicResource): string {
  const { ageSeconds, sizeBytes } = spec.retention;
  const parts = [
    ...(spec.compacted ? ['latest of each key'] : []),
    ...(ageSeconds === null ? [] : [formatSeconds(ageSeconds)]),
    ...(sizeBytes === null ? [] : [`${formatBytes(sizeBytes)} per partition`]),
  ];
  return parts.length === 0 ? 'everything' : parts.join(', ');
}

/** Rows under a heading, each column as wide as its widest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
