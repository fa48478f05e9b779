import { readdirSync, readFileSync } from 'node:fs';
import { Counter, Gauge, type Registry } from 'prom-client';

/** Anonymous memory: what the process really occupies, without the mapped pages of the log. Undefined where /proc is missing. */
function anonymousBytes(): number | undefined {
  try {
    const kibibytes = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
  } catch {
    return undefined;
  }
}

/** Undefined where /proc is missing. */
function openFiles(): number | undefined {
  try {
    // The listing itself holds one.
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    return undefined;
  }
}

/**
 * Figures of the process under their customary names, read only when they are asked for. prom-client's own collection is not
 * used, because it lists every open socket on each scrape.
 */
export function collectProcessMetrics(registry: Registry): void {
  const registers = [registry];
  const gauge = (
    name: string,
    help: string,
    read: () => number | undefined,
    together: 'sum' | 'min' = 'sum',
  ): void => {
    if (read() === undefined) return;
    new Gauge({
      name,
      help,
      registers,
      aggregator: together,
      collect() {
        this.set(read() ?? Number.NaN);
      },
    });
  };
  const counter = (name: string, help: string, read: () => number): void => {
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  };
  const cpuSeconds = (): number => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  };
  const startSeconds = performance.timeOrigin / 1000;
  counter('process_cpu_seconds_total', 'Processor time, of all threads.', cpuSeconds);
  gauge(
    'process_start_time_seconds',
    'When the process was started, in Unix time.',
    () => startSeconds,
    'min',
  );
  gauge('process_resident_memory_bytes', 'Memory in use, with the mapped pages of the log.', () =>
    process.memoryUsage.rss(),
  );
  gauge('process_anonymous_memory_bytes', 'Memory in use, without mapped files.', anonymousBytes);
  gauge('process_open_fds', 'Open file descriptors, sockets included.', openFiles);
  gauge('nodejs_heap_size_used_bytes', 'The part of the heap in use.', () => process.memoryUsage().heapUsed);
  gauge('nodejs_heap_size_total_bytes', 'The heap.', () => process.memoryUsage().heapTotal);
  gauge(
    'nodejs_external_memory_bytes',
    'Memory of buffers and other objects beside the heap.',
    () => process.memoryUsage().external,
  );
}
