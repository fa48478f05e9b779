import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DIFFERENCES } from './differences.ts';
import type { Side } from './gateway.ts';
import { missingPushpin, startPushpin } from './pushpin-gateway.ts';
import { divergences, type Scenario } from './scenario.ts';
import { SCENARIOS } from './scenarios/index.ts';
import { Stage, World } from './stage.ts';
import { startTidegate } from './tidegate-gateway.ts';

/** Most of the time of a scenario is waiting for the time-outs of Pushpin. */
const AT_ONCE = 24;

const START = { pushpin: startPushpin, tidegate: startTidegate };

/** The name of a scenario in its paths and channels. */
const slugOf = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');

async function play({ name, run }: Scenario, world: World): ReturnType<Scenario['run']> {
  const stage = new Stage(world, slugOf(name));
  try {
    return await run(stage);
  } catch (error) {
    throw new Error(`${world.side}: ${(error as Error).message}`, { cause: error });
  } finally {
    stage.leave();
  }
}

describe('Beside Pushpin', { skip: missingPushpin ?? false }, () => {
  const worlds: Partial<Record<Side, World>> = {};
  before(async () => {
    for (const side of ['pushpin', 'tidegate'] as const) worlds[side] = await World.open(side, START[side]);
  });
  after(async () => {
    for (const world of Object.values(worlds)) await world.close();
  });

  const compare = (scenario: Scenario): void => {
    test(scenario.name, async () => {
      const { pushpin, tidegate } = worlds;
      assert.ok(pushpin !== undefined && tidegate !== undefined);
      const [one, other] = await Promise.all([play(scenario, pushpin), play(scenario, tidegate)]);
      // A difference that nobody has explained fails, and so does an explained one that is there no longer.
      const explained = (scenario.differs ?? []).map(({ because: _, ...divergence }) => divergence);
      assert.deepEqual(divergences(one, other), explained);
    });
  };

  describe('at once', { concurrency: AT_ONCE }, () => {
    for (const scenario of SCENARIOS) if (scenario.isAlone !== true) compare(scenario);
  });

  describe('alone', () => {
    for (const scenario of SCENARIOS) if (scenario.isAlone === true) compare(scenario);
  });
});

const shown = new Set(SCENARIOS.flatMap(({ differs = [] }) => differs.map(({ because }) => because)));

for (const [name, { unshown }] of Object.values(DIFFERENCES).flatMap((group) => Object.entries(group))) {
  test(`the difference ${name} is shown by a scenario, or says why none can`, () => {
    assert.equal(shown.has(name as never), unshown === undefined);
  });
}

test('no two scenarios have one name, and each explained divergence has two different sides', () => {
  const names = SCENARIOS.map(({ name }) => slugOf(name));
  assert.deepEqual(
    names.filter((name, at) => names.indexOf(name) !== at),
    [],
  );
  for (const { name, differs = [] } of SCENARIOS)
    for (const { pushpin, tidegate } of differs) assert.notDeepEqual(pushpin, tidegate, name);
});
