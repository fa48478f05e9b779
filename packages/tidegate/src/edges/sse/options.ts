import type { Limits } from '../../kernel/index.ts';
import { type QueryRules, queryDefaults } from '../subscription-query.ts';

/** What an event stream of one channel takes. */
export function sseQueryRules(limits: Limits): QueryRules {
  return { parameters: new Set(['from', 'envelope', 'event', 'slow']), defaults: queryDefaults(limits) };
}

/** What an event stream of several channels takes. */
export function sseChannelsQueryRules(limits: Limits): QueryRules {
  return {
    parameters: new Set(['channel', 'from', 'envelope', 'event', 'slow']),
    defaults: queryDefaults(limits),
  };
}
