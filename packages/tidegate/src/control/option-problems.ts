import type { OptionProblem } from '../gateway/options.ts';
import { TidegateError } from '../kernel/index.ts';
import { named } from './plan.ts';
import type { ResourceName } from './port.ts';

/** @throws TidegateError resource_invalid */
export function refuseResource(resource: ResourceName, what: string): never {
  throw new TidegateError('resource_invalid', `The ${named(resource)}: ${what}.`);
}

/** Refuses a resource for all that is wrong with it; nothing happens if that is nothing. @throws TidegateError resource_invalid */
export function refuseProblems(resource: ResourceName, problems: readonly OptionProblem[]): void {
  if (problems.length === 0) return;
  const lines = problems.map(({ path, message, remedy }) => {
    const place = ['spec', ...path].join('.');
    return `The ${named(resource)}: ${place}: ${message}. ${remedy}`;
  });
  throw new TidegateError('resource_invalid', lines.join('\n'));
}
