import type { Limits } from '../../kernel/index.ts';
import { type QueryRules, queryDefaults } from '../subscription-query.ts';

/** What a long-poll takes. */
export function pollQueryRules(limits: Limits): QueryRules {
  return {
    parameters: new Set(['from', 'envelope', 'wait', 'max']),
    defaults: { ...queryDefaults(limits), envelope: 'json' },
  };
}

/** What a page of history takes: it begins at the beginning and waits for nothing. */
export function historyQueryRules(limits: Limits): QueryRules {
  return {
    parameters: new Set(['from', 'envelope', 'max']),
    defaults: { ...queryDefaults(limits), envelope: 'json', from: { kind: 'earliest' }, waitMs: 0 },
  };
}
