import { TidegateError } from '../kernel/index.ts';
import type { HttpExchange } from '../listeners/port.ts';

/**
 * Answers a request that cannot be met with the reason. What is not an error of the registry is a mistake of ours: it goes on to the
 * listener, which logs it.
 */
export function refuse(exchange: HttpExchange, error: unknown): void {
  if (!(error instanceof TidegateError)) throw error;
  exchange.fail(error);
}
