import { ALL_SEGMENTS, ONE_SEGMENT } from './channel-name.ts';

/**
 * Whether a channel matches a pattern, as MQTT defines it (MQTT 5.0, 4.7.1): `+` is one segment, a final `#` is any number of
 * segments, none included, so that `a/#` matches `a`. Names whose first segment starts with `_` match no pattern that begins
 * with a wildcard; they never get this far, since nobody can publish to them.
 */
export function matchesPattern(pattern: string, channel: string): boolean {
  const patternSegments = pattern.split('/');
  const channelSegments = channel.split('/');
  for (let i = 0; i < patternSegments.length; i++) {
    const segment = patternSegments[i];
    if (segment === ALL_SEGMENTS && i === patternSegments.length - 1) return true;
    if (i >= channelSegments.length) return false;
    if (segment !== ONE_SEGMENT && segment !== channelSegments[i]) return false;
  }
  return patternSegments.length === channelSegments.length;
}
