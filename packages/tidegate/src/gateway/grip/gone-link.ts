import type { HoldContext } from './hold-context.ts';
import { type LinkBase, linkTarget } from './link-target.ts';
import type { GripRoute } from './port.ts';

/** Tells the origin that a client has gone, if it wants to know. Nobody waits for what becomes of it. */
export function tellGone(
  uri: string | null,
  base: LinkBase,
  route: GripRoute,
  { links, metrics }: HoldContext,
): void {
  if (uri === null) return;
  try {
    links.post({ authority: base.authority, target: linkTarget(uri, base), lasts: [] }, route);
  } catch {
    // It came with the answer to a next link, which was followed all the same.
    metrics.link('refused');
  }
}
