import { PresenceRegistry, RemotePresence, servePresence } from '../../src/channels/index.ts';
import { linePair } from '../support/line-pair.ts';
import { PRESENCE_FORM } from './presence-lab.ts';
import { presenceSuite } from './presence-suite.ts';

presenceSuite('Presence in the process that holds the list', (limits) => {
  const list = new PresenceRegistry(limits);
  return { list, settle: () => {}, overflow: () => list.overflow };
});

presenceSuite('Presence in a worker', (limits) => {
  const registry = new PresenceRegistry(limits);
  const line = linePair();
  servePresence(line.owner, registry, PRESENCE_FORM);
  const list = new RemotePresence(line.worker, PRESENCE_FORM, limits);
  return { list, settle: () => line.deliver(), overflow: () => registry.overflow };
});
