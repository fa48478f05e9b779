import { parseArgs } from 'node:util';
import { servePage } from './page-server.ts';

const HELP = `Serves the page of the earthquakes example.

  node examples/earthquakes/serve.ts [options]

  --port PORT  the page's port (8090, the one that tidegate.yaml lets in)
  --url URL    the Tidegate server that the page subscribes to (http://127.0.0.1:8080)
`;

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8090' },
    url: { type: 'string', default: 'http://127.0.0.1:8080' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

if (values.help) {
  process.stdout.write(HELP);
} else {
  const page = await servePage({ port: Number(values.port), tidegateUrl: values.url.replace(/\/$/, '') });
  process.stdout.write(`The page is at ${page.url}\n`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void page.close());
}
