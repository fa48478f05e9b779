import { parseArgs } from 'node:util';
import { startEchoServer } from './echo-server.ts';

const USAGE = `A WebSocket echo on 127.0.0.1, on the codec and the listener of the server.

  node examples/echo/echo.ts [--port 9001] [--compression] [--message-bytes-max 67108864]

  --port               where to listen; 0 takes any free port (default: 9001)
  --compression        agree to permessage-deflate (default: off)
  --message-bytes-max  the largest message (default: 64 MiB)
`;

/** A whole number, or an end with the usage. */
function wholeNumber(name: string, text: string): number {
  if (/^[0-9]{1,9}$/.test(text)) return Number(text);
  console.error(`--${name} takes a whole number, not ${JSON.stringify(text)}.\n\n${USAGE}`);
  process.exit(2);
}

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '9001' },
    compression: { type: 'boolean', default: false },
    'message-bytes-max': { type: 'string', default: String(64 * 1024 * 1024) },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  console.log(USAGE);
} else {
  const listener = await startEchoServer({
    port: wholeNumber('port', values.port),
    compression: values.compression ? 'deflate' : 'none',
    messageBytesMax: wholeNumber('message-bytes-max', values['message-bytes-max']),
  });
  console.log(`Echoing on ws://127.0.0.1:${listener.port}`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      void listener.drain(5000).then(() => process.exit(0));
    });
  }
}
