import type { Command } from '../command.ts';
import { apply } from './apply.ts';
import { check } from './check.ts';
import { deleteCommand } from './delete.ts';
import { diff } from './diff.ts';
import { get } from './get.ts';
import { importPushpin } from './import-pushpin.ts';
import { keyCreate } from './key-create.ts';
import { publish } from './publish.ts';
import { reload } from './reload.ts';
import { start } from './start.ts';
import { subscribe } from './subscribe.ts';
import { topicsDescribe } from './topics-describe.ts';
import { topicsList } from './topics-list.ts';

/** Every command, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  start,
  publish,
  subscribe,
  get,
  apply,
  diff,
  deleteCommand,
  reload,
  keyCreate,
  topicsList,
  topicsDescribe,
  check,
  importPushpin,
];
