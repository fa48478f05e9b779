import { getRequest, numberedPayload, textFrame, webSocketHeaders } from '../support/payload.ts';
import type { Greeting, SubscribersOptions } from '../support/subscribers.ts';
import type { TidegateProcess } from './tidegate.ts';

/** A place in a channel, as the Centrifuge protocol has it. */
export interface CentrifugePosition {
  readonly epoch: string;
  readonly offset: number;
}

/** What a Centrifuge client in JSON says first: connect, and subscribe to one channel, in one frame. */
export function centrifugeGreeting(channel: string, recover?: CentrifugePosition): Greeting {
  const subscribe = recover === undefined ? { channel } : { channel, recover: true, ...recover };
  const commands = [
    { id: 1, connect: {} },
    { id: 2, subscribe },
  ];
  return {
    frames: textFrame(commands.map((command) => JSON.stringify(command)).join('\n')),
    answer: recover === undefined ? '"subscribe":{' : '"recovered":true',
    refusal: '"error":',
  };
}

/** Clients that connect by the Centrifuge protocol and subscribe to a channel. */
export function centrifugeSubscribers(
  server: TidegateProcess,
  channel: string,
  connections: number,
  recover?: CentrifugePosition,
): SubscribersOptions {
  return {
    port: server.port,
    requests: [getRequest('/connection/websocket', webSocketHeaders)],
    connections,
    protocol: 'websocket',
    greeting: centrifugeGreeting(channel, recover),
  };
}

/** Publishes message 0 of a channel, and tells its position. */
export async function centrifugePosition(
  server: TidegateProcess,
  channel: string,
): Promise<CentrifugePosition> {
  const response = await fetch(`http://127.0.0.1:${server.port}/api/publish`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ channel, data: numberedPayload(0) }),
  });
  const answer = (await response.json()) as { readonly result?: CentrifugePosition };
  if (answer.result === undefined) throw new Error(`the position was refused: ${JSON.stringify(answer)}`);
  return { epoch: answer.result.epoch, offset: answer.result.offset };
}
