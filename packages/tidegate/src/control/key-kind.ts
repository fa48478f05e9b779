import { KEY_NAME_PATTERN, type KeyOptions, keySchema } from '../access/options.ts';
import { TidegateError } from '../kernel/index.ts';
import type { ResourceKind } from './port.ts';

/** The name of the kind. */
export const KEY_KIND = 'key';

/** API keys. What they mean is for `access/` to say, which follows the snapshot. */
export function keyKind(): ResourceKind {
  return {
    kind: KEY_KIND,
    description: 'An API key: what whoever shows it may do. The secret itself is not stored.',
    namePattern: KEY_NAME_PATTERN,
    schema: keySchema,
    complete: (_name, spec) => spec,
    check(proposed, changed) {
      for (const name of changed) {
        const { hash } = proposed.get(name) as KeyOptions;
        for (const [other, spec] of proposed) {
          if (other === name || (spec as KeyOptions).hash !== hash) continue;
          const names = `${JSON.stringify(name)} and ${JSON.stringify(other)}`;
          throw new TidegateError('resource_invalid', `The keys ${names} have the same hash.`);
        }
      }
    },
  };
}
