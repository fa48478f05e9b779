import type { ClientRegistry, ConnectedClient } from './clients.ts';
import type { Disconnect } from './status.ts';
import type { SubscribeOptions } from './subscribe-options.ts';

/** What is to be done to the connections of a user; with `client`, to the one of that id. */
export type ClientAction = {
  readonly user: string;
  /** Empty for all. */
  readonly client: string;
} & Deed;

/** What is done to one connection. */
export type Deed =
  | { readonly deed: 'subscribe'; readonly channel: string; readonly options: SubscribeOptions }
  | { readonly deed: 'unsubscribe'; readonly channel: string }
  | { readonly deed: 'disconnect'; readonly reason: Disconnect };

/** Does it to those of this process. Calls back once, when it is done to all of them. */
export function actOn(clients: ClientRegistry, action: ClientAction, done: () => void): void {
  const concerned = clients.of(action.user, action.client);
  let waiting = concerned.length + 1;
  const settle = (): void => {
    if (--waiting === 0) done();
  };
  for (const client of concerned) carryOut(client, action, settle);
  settle();
}

function carryOut(client: ConnectedClient, action: ClientAction, done: () => void): void {
  switch (action.deed) {
    case 'subscribe':
      client.subscribeByServer(action.channel, action.options, done);
      return;
    case 'unsubscribe':
      client.unsubscribeByServer(action.channel);
      break;
    case 'disconnect':
      client.disconnect(action.reason);
      break;
  }
  done();
}
