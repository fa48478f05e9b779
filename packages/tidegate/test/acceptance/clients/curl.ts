import { type ChildProcess, spawn } from 'node:child_process';
import type { DeliveryRecord } from '../delivery-record.ts';
import { type Client, RECONNECT_MS, type RunningClient, subscriptionUrl } from './client.ts';
import { completeLines } from './complete-lines.ts';

const running = new Set<ChildProcess>();

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

interface CurlRun {
  readonly args: readonly string[];
  readonly takeLine: (line: string) => void;
}

/** `curl -N` with server-sent events, read line by line, as a shell script would; Last-Event-ID on every new connection. */
export const curlEventStreamClient: Client = (subscription) => {
  const { record, pattern } = subscription;
  return repeatCurl(record, () => {
    const resume = record.cursor === '' ? [] : ['-H', `Last-Event-ID: ${record.cursor}`];
    let id = '';
    let data: string | null = null;
    return {
      args: [
        '-H',
        'Accept: text/event-stream',
        ...resume,
        subscriptionUrl({ ...subscription, record: FRESH }),
      ],
      takeLine: (line) => {
        if (line.startsWith('retry: ')) record.connected();
        else if (line.startsWith('id: ')) id = line.slice(4);
        else if (line.startsWith('data: ')) data = line.slice(6);
        else if (line.startsWith('event: ')) record.trouble(line);
        else if (line === '' && data !== null) {
          record.delivered({ cursor: id, channel: pattern, data });
          data = null;
        }
      },
    };
  });
};

/** `curl -N` with JSON lines; `from` is the cursor of the last line. */
export const curlLinesClient: Client = (subscription) => {
  const { record } = subscription;
  return repeatCurl(record, () => {
    let first = true;
    return {
      args: ['-H', 'Accept: application/x-ndjson', subscriptionUrl(subscription)],
      takeLine: (line) => {
        if (first) record.connected();
        first = false;
        if (line !== '') record.enveloped(line);
      },
    };
  });
};

/** The address of the first connection, which a script does not change: the header goes before it. */
const FRESH = { cursor: '' } as const;

/** Runs curl again whenever it ends. `begin` makes the arguments of each run and what takes its lines. */
function repeatCurl(record: DeliveryRecord, begin: () => CurlRun): RunningClient {
  let child: ChildProcess;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const run = (): void => {
    const { args, takeLine } = begin();
    const started = spawn('curl', ['-sN', '--fail', '--noproxy', '*', ...args], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    child = started;
    running.add(started);
    started.stdout.setEncoding('utf8').on('data', completeLines(takeLine));
    started.once('error', (error) => record.trouble(`curl cannot be run: ${error.message}`));
    started.once('close', () => {
      running.delete(started);
      if (!closed) timer = setTimeout(run, RECONNECT_MS);
    });
  };
  run();
  return {
    close: () => {
      closed = true;
      clearTimeout(timer);
      child.kill('SIGKILL');
    },
  };
}
