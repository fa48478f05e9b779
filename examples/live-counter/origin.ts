import { parseArgs } from 'node:util';
import { startOrigin } from './origin-server.ts';

const HELP = `The counter and its page, without the gateway.

  node examples/live-counter/origin.ts [options]

  --port PORT    where it listens, on loopback (8092, which tidegate.yaml names)
  --gateway URL  the gateway's public port (http://127.0.0.1:8080)
  --admin URL    its admin port, to count the viewers (http://127.0.0.1:8081)
  --grip URL     where it takes what the app publishes (http://127.0.0.1:5561/)
`;

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8092' },
    gateway: { type: 'string', default: 'http://127.0.0.1:8080' },
    admin: { type: 'string', default: 'http://127.0.0.1:8081' },
    grip: { type: 'string', default: 'http://127.0.0.1:5561/' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

if (values.help) {
  process.stdout.write(HELP);
} else {
  const { port, gateway: publicUrl, admin: adminUrl, grip: gripUrl } = values;
  const origin = await startOrigin(Number(port), { publicUrl, adminUrl, gripUrl });
  process.stdout.write(`The app is at ${origin.url}, for the gateway only.\n`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void origin.close());
}
