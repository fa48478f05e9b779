import { durationMs } from '../duration.ts';
import type { OptionProblem } from '../option-problem.ts';
import type { UpstreamOptions } from './options.ts';
import { completeUpstream } from './upstream.ts';

/** What is wrong with an upstream that fits the schema; nothing if it is good. */
export function findUpstreamProblems(options: UpstreamOptions): readonly OptionProblem[] {
  const problems: OptionProblem[] = [];
  const { targets, tls, health, passive } = completeUpstream(options);
  const seen = new Set<string>();
  for (const [index, { url }] of targets.entries()) {
    const path = ['targets', index, 'url'];
    if (!URL.canParse(url)) {
      problems.push({
        path,
        message: `${JSON.stringify(url)} is not a URL`,
        remedy: 'Write one such as http://10.0.0.7:3000.',
      });
      continue;
    }
    const { origin } = new URL(url);
    if (seen.has(origin))
      problems.push({
        path,
        message: `${origin} is there twice`,
        remedy: 'Give one of them a weight instead.',
      });
    seen.add(origin);
  }
  if ((tls.certificate === undefined) !== (tls.key === undefined))
    problems.push({
      path: ['tls', tls.key === undefined ? 'certificate' : 'key'],
      message: 'A certificate and its key belong together',
      remedy: 'Write both, or neither.',
    });
  if (health !== undefined && durationMs(health.timeout) > durationMs(health.interval))
    problems.push({
      path: ['health', 'timeout'],
      message: `An answer may take longer (${health.timeout}) than the pause between two questions (${health.interval})`,
      remedy: 'Write a time-out that is at most the interval.',
    });
  if (passive !== undefined && durationMs(passive.ejectFor) > durationMs(passive.ejectForMax))
    problems.push({
      path: ['passive', 'ejectFor'],
      message: `The first ejection (${passive.ejectFor}) is longer than the longest (${passive.ejectForMax})`,
      remedy: 'Raise ejectForMax.',
    });
  return problems;
}
