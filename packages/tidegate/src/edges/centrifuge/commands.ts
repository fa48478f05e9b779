import { openAdmitted } from './admission.ts';
import { admit, refreshed } from './connecting.ts';
import { readHistory } from './history.ts';
import { askMembers, askStats } from './presence-results.ts';
import type { Command, Result } from './protocol.ts';
import type { Session } from './session.ts';
import { ERROR, failure } from './status.ts';
import { PLAIN_OPTIONS } from './subscribe-options.ts';

/** A command that is answered by itself. */
export type AnsweredCommand = Exclude<Command, { readonly method: 'publish' | 'send' | 'ping' | 'pong' }>;

type RpcCommand = Extract<Command, { readonly method: 'rpc' }>;

/** Carries a command out, and answers it once, now or later. */
export function carryOut(session: Session, command: AnsweredCommand, answer: (result: Result) => void): void {
  const { context, subscriptions } = session;
  switch (command.method) {
    case 'connect':
      admit(session, command, answer);
      break;
    case 'refresh':
      refreshed(session, command.token, answer);
      break;
    case 'subscribe':
      subscriptions.prepare(
        { channel: command.channel, wish: command.wish, side: 'client', options: PLAIN_OPTIONS },
        (opening) =>
          openAdmitted(session, [opening], ([{ outcome, entered }]) => {
            answer('code' in outcome ? failure(outcome) : { method: 'subscribe', ...outcome });
            entered();
          }),
      );
      break;
    case 'sub_refresh':
      subscriptions.refresh(command.channel, command.token, (outcome) => {
        const isGood = typeof outcome === 'number';
        answer(isGood ? { method: 'sub_refresh', ttlSeconds: outcome } : failure(outcome));
      });
      break;
    case 'unsubscribe':
      subscriptions.end(command.channel);
      answer({ method: 'unsubscribe' });
      break;
    case 'history':
      if (!session.identity.allows('history', command.channel)) answer(failure(ERROR.permissionDenied));
      else {
        const { access, limits, format } = context;
        const channels = access.limitedChannelsFor(session.identity, session);
        readHistory({ channels, limits, encoder: format.pageEncoder }, command, answer);
      }
      break;
    case 'presence':
    case 'presence_stats': {
      const { method, channel } = command;
      if (!session.identity.allows('presence', channel)) answer(failure(ERROR.permissionDenied));
      else if (method === 'presence') askMembers(context, channel, answer);
      else askStats(context, channel, answer);
      break;
    }
    case 'rpc':
      call(session, command, answer);
      break;
  }
}

function call(session: Session, { name, data }: RpcCommand, answer: (result: Result) => void): void {
  const { rpc } = session.context;
  if (rpc === null) {
    answer(failure(ERROR.notAvailable));
    return;
  }
  rpc({ method: name, data, info: session.info }, (outcome) =>
    answer(outcome !== null && 'code' in outcome ? failure(outcome) : { method: 'rpc', data: outcome }),
  );
}
