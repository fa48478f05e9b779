import { parseArgs } from 'node:util';

const USAGE = `Says something over a WebSocket, prints what comes back, and says bye.

  node examples/faas-echo/talk.ts [--url ws://127.0.0.1:8080/echo] [--listen] MESSAGE...

  --listen  do not say bye, but print what else comes
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    url: { type: 'string', default: 'ws://127.0.0.1:8080/echo' },
    listen: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(USAGE);
else talk(values.url, values.listen ? positionals : [...positionals, 'bye']);

/** Says the next message when the one before was answered. */
function talk(url: string, messages: readonly string[]): void {
  const left = [...messages];
  const socket = new WebSocket(url);
  socket.onmessage = ({ data }) => {
    console.log(String(data));
    const next = left.shift();
    if (next !== undefined) socket.send(next);
  };
  socket.onclose = ({ code, reason }) => console.log(`closed with ${code} ${reason}`);
  socket.onerror = () => console.error(`There is no WebSocket at ${url}.`);
}
