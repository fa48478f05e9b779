import type { Limits } from '../../kernel/index.ts';
import { type QueryRules, queryDefaults } from '../subscription-query.ts';

/** What a stream of lines takes. */
export function streamQueryRules(limits: Limits): QueryRules {
  return {
    parameters: new Set(['from', 'envelope', 'slow']),
    defaults: { ...queryDefaults(limits), envelope: 'json' },
  };
}
