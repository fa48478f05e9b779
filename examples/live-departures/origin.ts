import { parseArgs } from 'node:util';
import { minuteAfter } from './departures/index.ts';
import { startOrigin } from './origin-server.ts';
import { countViewers } from './viewers.ts';

const HELP = `The API of the live departures, and their page, without the gateway.

  node examples/live-departures/origin.ts [options]

  --port PORT   where it listens, on loopback (8091, which tidegate.yaml names)
  --speed N     how many seconds of the boards pass in one (60)
  --admin URL   the gateway's admin port, to count the viewers (http://127.0.0.1:8081)
`;

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8091' },
    speed: { type: 'string', default: '60' },
    admin: { type: 'string', default: 'http://127.0.0.1:8081' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

if (values.help) {
  process.stdout.write(HELP);
} else {
  const speed = Number(values.speed);
  const adminUrl = values.admin.replace(/\/$/, '');
  const startedMs = performance.now();
  const origin = await startOrigin({
    port: Number(values.port),
    minute: () => minuteAfter(performance.now() - startedMs, speed),
    viewers: () => countViewers(adminUrl),
  });
  process.stdout.write(`The API is at ${origin.url}/api/departures?airport=ORD\n`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void origin.close());
}
