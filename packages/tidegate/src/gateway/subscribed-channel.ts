import { hasWildcard } from '../channels/index.ts';
import { TidegateError } from '../kernel/index.ts';
import type { HttpExchange, HttpHandler } from '../listeners/port.ts';
import type { ChannelTemplate } from './routes/channel-template.ts';
import type { PathParameters } from './routes/path-pattern.ts';
import { SubscriptionExchange } from './subscription-exchange.ts';

/** Who serves event streams of the channels that a query names, and at which path. */
export interface ChannelStreams {
  readonly path: string;
  readonly others: HttpHandler;
}

/** Has the client served with the channel that its route leads to, or answers why not. */
export function handToChannel(
  exchange: HttpExchange,
  template: ChannelTemplate,
  parameters: PathParameters,
  { path, others }: ChannelStreams,
): void {
  let channel: string;
  try {
    channel = channelOf(template, parameters);
  } catch (error) {
    exchange.fail(TidegateError.from(error));
    return;
  }
  others(new SubscriptionExchange(exchange, path, channel));
}

/**
 * The channel that a request is for, or the pattern of channels. Wildcards are the template's: what a request says is taken by its letters.
 * @param parameters by name, percent-encoded
 * @throws TidegateError channel_invalid
 */
function channelOf({ parts }: ChannelTemplate, parameters: PathParameters): string {
  return parts.map((part, index) => (index % 2 === 0 ? part : decoded(part, parameters[part]))).join('');
}

function decoded(name: string, encoded: string): string {
  let value: string;
  try {
    value = decodeURIComponent(encoded);
  } catch (error) {
    throw new TidegateError('channel_invalid', 'The path is not percent-encoded UTF-8', { cause: error });
  }
  if (hasWildcard(value)) throw new TidegateError('channel_invalid', `The path has a wildcard in {${name}}`);
  return value;
}
