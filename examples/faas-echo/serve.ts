import { Buffer } from 'node:buffer';
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { handle } from './handler.ts';

const USAGE = `Two instances of a function, as a platform would run them, on 127.0.0.1.

  node examples/faas-echo/serve.ts [--port 3001] [--port 3002]
`;

const { values } = parseArgs({
  options: {
    port: { type: 'string', multiple: true, default: ['3001', '3002'] },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(USAGE);
else for (const [index, port] of values.port.entries()) serve(Number(port), `instance ${index + 1}`);

/** Serves the function by Node's own HTTP server. */
function serve(port: number, instance: string): void {
  const server = createServer(async (incoming, outgoing) => {
    const slices: Buffer[] = [];
    for await (const slice of incoming) slices.push(slice as Buffer);
    const headers = new Headers();
    for (const [name, values] of Object.entries(incoming.headersDistinct)) {
      for (const value of values ?? []) headers.append(name, value);
    }
    const { method = 'GET', url } = incoming;
    const body = method === 'GET' || method === 'HEAD' ? null : new Uint8Array(Buffer.concat(slices));
    const request = new Request(`http://${headers.get('host')}${url}`, { method, headers, body });
    const response = await handle(request, instance);
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    outgoing.end(new Uint8Array(await response.arrayBuffer()));
  });
  server.listen(port, '127.0.0.1', () => console.log(`${instance} on http://127.0.0.1:${port}`));
}
