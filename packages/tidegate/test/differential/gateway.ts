/** The two that are compared. */
export type Side = 'pushpin' | 'tidegate';

export const SIDES: readonly Side[] = ['pushpin', 'tidegate'];

/** A gateway that runs as processes of its own, on free ports of loopback. */
export interface Gateway {
  /** Where clients connect to. */
  readonly port: number;
  /** Where items are published. */
  readonly controlPort: number;
  /** What it has written last, for those who look for the reason of a failure. */
  readonly output: string;
  stop(): Promise<void>;
}

/** The secret with which both sign, and its name: those of Pushpin as it is packaged. */
export const SIGNATURE = { key: 'changeme', issuer: 'pushpin' };

/**
 * The routes of both, as a routes file of Pushpin: `tidegate import pushpin` makes them routes of Tidegate, so that this
 * is compared, too.
 * @param origin the port of the origin
 * @param nobody a port on which nobody listens
 */
export function routesFile(origin: number, nobody: number): string {
  const signed = `sig_key=${SIGNATURE.key},sig_iss=${SIGNATURE.issuer}`;
  return [
    `*,path_beg=/over-http/,${signed} 127.0.0.1:${origin},over_http`,
    `*,path_beg=/refused/ 127.0.0.1:${nobody}`,
    `*,path_beg=/refused-over-http/ 127.0.0.1:${nobody},over_http`,
    `*,path_beg=/prefixed/,prefix=pre- 127.0.0.1:${origin}`,
    `*,path_beg=/renamed/,replace_beg=/grip/,header=X-Route:named 127.0.0.1:${origin},host=origin.example`,
    `*,path_beg=/no-grip/,no_grip 127.0.0.1:${origin}`,
    `*,path_beg=/sessions/,session 127.0.0.1:${origin}`,
    `*,path_beg=/unsigned/,sig_key= 127.0.0.1:${origin}`,
    `*,${signed} 127.0.0.1:${origin}`,
    '',
  ].join('\n');
}
