import { channelUrl, retryDelayMs } from './feed-state.js';

/**
 * Subscribes by a stream of JSON lines, which `fetch` reads as it arrives: the way for programs that have neither
 * EventSource nor WebSocket.
 *
 * @param {import('./feed-state.js').FeedOptions} options
 */
export async function subscribeByStream({ server, channel, from, onMessage, onState, onGap }) {
  let cursor = '';
  let failures = 0;

  const takeLine = (line) => {
    // Empty lines keep the connection alive.
    if (line === '') return;
    const message = JSON.parse(line);
    cursor = message.cursor ?? message.gap?.cursor ?? cursor;
    if (message.gap) onGap();
    else if (message.channel) onMessage(message.data);
  };

  const readOnce = async () => {
    const response = await fetch(channelUrl(server, channel, { from: cursor || from }), {
      headers: { accept: 'application/x-ndjson' },
    });
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    failures = 0;
    onState({ phase: 'live', cursor });
    let rest = '';
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      const lines = (rest + part.value).split('\n');
      // A line that a lost connection cut off is not a message; it comes again in full.
      rest = lines.pop();
      for (const line of lines) takeLine(line);
    }
  };

  onState({ phase: 'connecting', cursor });
  for (;;) {
    try {
      await readOnce();
    } catch {
      // Lost or refused; either way the next attempt goes on from the cursor.
    }
    onState({ phase: cursor ? 'reconnecting' : 'connecting', cursor });
    await new Promise((resolve) => setTimeout(resolve, retryDelayMs(failures++)));
  }
}
