import { packageVersion } from '../../support/machine.ts';
import { startPushpinWith } from '../pushpin.ts';
import type { ProxyPeer } from './proxy-server.ts';

/** Pushpin as a proxy for answers without instructions, without its limits. */
export const pushpinProxy: ProxyPeer = {
  name: 'pushpin',
  missing: () => (packageVersion('pushpin') === null ? 'apt-get install pushpin' : null),
  async start(originPort) {
    const { client, pid, stop } = await startPushpinWith(`* 127.0.0.1:${originPort}`, 'unlimited');
    return { name: 'pushpin', version: `Pushpin ${packageVersion('pushpin')}`, port: client, pid, stop };
  },
};
