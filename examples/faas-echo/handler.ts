import { close, join, parseEvents, plain, type SocketEvent, text, textOf } from './events.ts';

const MEDIA_TYPE = 'application/websocket-events';

/** The channel whose messages every client gets. */
export const CHANNEL = 'faas-echo';

/** What the gateway keeps for the function between two requests. */
interface Kept {
  /** Messages of this connection so far. */
  count: number;
}

/**
 * The backend of a WebSocket as a stateless function, for any platform with `Request` and `Response`. It echoes what it is sent, and ends on `bye`.
 * What it has to remember of a connection, it gives to the gateway, so that any instance can answer any request.
 * @param instance what it calls itself, to show that there are several
 */
export async function handle(request: Request, instance: string): Promise<Response> {
  const type = request.headers.get('content-type')?.split(';', 1)[0].trim();
  if (request.method !== 'POST' || type !== MEDIA_TYPE) {
    return new Response('This is the backend of a WebSocket.\n', { status: 406 });
  }
  const kept: Kept = { count: Number(request.headers.get('meta-count') ?? 0) };
  const events = parseEvents(new Uint8Array(await request.arrayBuffer()));
  const answers = events.flatMap((event) => answer(event, kept, instance));
  return new Response(join(answers), {
    headers: {
      'Content-Type': MEDIA_TYPE,
      // Of what follows, `m:` is for the client, and `c:` for the gateway.
      'Sec-WebSocket-Extensions': 'grip',
      'Set-Meta-Count': String(kept.count),
    },
  });
}

function answer(event: SocketEvent, kept: Kept, instance: string): readonly Uint8Array[] {
  switch (event.type) {
    case 'OPEN':
      return [
        plain('OPEN'),
        text(`c:${JSON.stringify({ type: 'subscribe', channel: CHANNEL })}`),
        text(`m:Hello from ${instance}.`),
      ];
    case 'TEXT':
      if (textOf(event) === 'bye') return [close(1000, 'bye')];
      kept.count++;
      return [text(`m:${instance} echoes message ${kept.count}: ${textOf(event)}`)];
    default:
      // The gateway answers pings, and there is nothing to tidy up when a client leaves.
      return [];
  }
}
