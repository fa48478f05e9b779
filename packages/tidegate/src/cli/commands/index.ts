import type { Command } from '../command.ts';
import { apply } from './apply.ts';
import { check } from './check.ts';
import { deleteCommand } from './delete.ts';
import { diff } from './diff.ts';
import { get } from './get.ts';
import { keyCreate } from './key-create.ts';
import { publish } from './publish.ts';
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
  keyCreate,
  topicsList,
  topicsDescribe,
  check,
];
