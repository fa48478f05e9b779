import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type PresenceList,
  PresenceRegistry,
  RemotePresence,
  servePresence,
} from '../../src/channels/index.ts';
import { type Limits, resolveLimits, TidegateError } from '../../src/kernel/index.ts';
import { type LinePair, linePair } from '../support/line-pair.ts';
import { alice, bob, Heard, membersOf, PRESENCE_FORM, statsOf } from './presence-lab.ts';

/** An owner and two workers. */
class Server {
  readonly owner: PresenceRegistry;
  readonly lines: readonly LinePair[];
  readonly workers: readonly PresenceList[];

  constructor(limits: Partial<Limits> = {}) {
    const resolved = resolveLimits(limits);
    this.owner = new PresenceRegistry(resolved);
    this.lines = [1, 2].map((number) => linePair(number));
    this.workers = this.lines.map((line) => {
      servePresence(line.owner, this.owner, PRESENCE_FORM);
      return new RemotePresence(line.worker, PRESENCE_FORM, resolved);
    });
  }

  /** Until nothing is under way: what one line delivers may be told on the other. */
  settle(): void {
    for (let i = 0; i < 3; i++) for (const line of this.lines) line.deliver();
  }
}

const carol = { client: 'c1', user: 'carol' };

describe('Presence over several processes', () => {
  it('is one list, whoever asks', () => {
    const server = new Server();
    const [one, two] = server.workers;
    server.owner.join('room', alice);
    one.join('room', bob);
    server.settle();
    two.join('room', carol);
    server.settle();
    for (const list of [server.owner, one, two]) {
      assert.deepEqual(
        membersOf(list, 'room', () => server.settle()),
        [alice, bob, carol],
      );
      assert.deepEqual(
        statsOf(list, 'room', () => server.settle()),
        { clients: 3, users: 3 },
      );
      assert.deepEqual(list.counts(), { members: 1, channels: 1 });
    }
    assert.deepEqual([server.owner.size, one.size, two.size], [3, 0, 0]);
  });

  it('tells the listeners of all processes of everybody, once and in order', () => {
    const server = new Server();
    const [one, two] = server.workers;
    const heard = [new Heard(), new Heard(), new Heard(), new Heard()];
    server.owner.listen('room', heard[0]);
    one.listen('room', heard[1]);
    one.listen('room', heard[2]);
    two.listen('room', heard[3]);
    server.settle();
    const leaveBob = one.join('room', bob);
    server.settle();
    const leaveAlice = server.owner.join('room', alice);
    leaveAlice();
    server.settle();
    leaveBob();
    server.settle();
    for (const { told } of heard)
      assert.deepEqual(told, ['b1 joined room', 'a1 joined room', 'a1 left room', 'b1 left room']);
  });

  it('tells a worker nothing of channels in which it does not listen, or does not any more', () => {
    const server = new Server();
    const [one] = server.workers;
    const told: Buffer[] = [];
    const { owner } = server.lines[0];
    const tell = owner.tell.bind(owner);
    owner.tell = (subject, message) => {
      told.push(Buffer.from(message));
      tell(subject, message);
    };
    const heard = new Heard();
    const unlisten = one.listen('room', heard);
    const unlistenOther = one.listen('room', new Heard());
    server.settle();
    server.owner.join('hall', alice);
    server.owner.join('room', alice);
    assert.equal(told.length, 1);
    server.settle();
    unlisten();
    server.settle();
    server.owner.join('room', bob);
    assert.equal(told.length, 2);
    unlistenOther();
    server.settle();
    server.owner.join('room', carol);
    server.settle();
    assert.equal(told.length, 2);
    assert.deepEqual(heard.told, ['a1 joined room']);
  });

  it('does not tell a newcomer of what was on its way before it listened', () => {
    const server = new Server();
    const [one] = server.workers;
    one.listen('room', new Heard());
    server.settle();
    const leave = one.join('room', bob);
    leave();
    // The owner has heard of both now, and its word is on the way back.
    const newcomer = new Heard();
    one.listen('room', newcomer);
    one.join('room', carol);
    server.settle();
    assert.deepEqual(newcomer.told, ['c1 joined room']);
  });

  it('says that the members of a worker have left when it is gone, and listens no more for it', () => {
    const server = new Server();
    const [one, two] = server.workers;
    const heard = [new Heard(), new Heard()];
    server.owner.listen('room', heard[0]);
    two.listen('room', heard[1]);
    one.listen('room', new Heard());
    server.settle();
    one.join('room', alice);
    one.join('hall', alice);
    two.join('room', carol);
    server.settle();
    // What a dead worker said last changes nothing.
    one.join('room', bob);
    server.lines[0].close();
    server.settle();
    for (const { told } of heard)
      assert.deepEqual(told, ['a1 joined room', 'c1 joined room', 'a1 left room']);
    assert.deepEqual(membersOf(server.owner, 'room'), [carol]);
    assert.equal(server.owner.size, 1);
  });

  it('counts against limits.presenceMembersMax over all processes', () => {
    const server = new Server({ presenceMembersMax: 2 });
    const [one, two] = server.workers;
    const leave = one.join('room', alice);
    two.join('room', bob);
    server.settle();
    server.owner.join('room', carol);
    assert.equal(server.owner.overflow, 1);
    leave();
    server.settle();
    two.join('room', carol);
    server.settle();
    assert.deepEqual(membersOf(server.owner, 'room'), [bob, carol]);
  });

  it('asks for no more lists at a time than limits.presenceListsAskedMax, and for each once however many wait for it', () => {
    const server = new Server({ presenceListsAskedMax: 2 });
    const [one] = server.workers;
    const asked: string[] = [];
    const { worker } = server.lines[0];
    const ask = worker.ask.bind(worker);
    let underWay = 0;
    let underWayMost = 0;
    worker.ask = (subject, question, done) => {
      asked.push(Buffer.from(question).toString('latin1').slice(9));
      underWayMost = Math.max(underWayMost, ++underWay);
      ask(subject, question, (error, answer) => {
        underWay--;
        done(error, answer);
      });
    };
    const answers: string[] = [];
    const members = (channel: string): void =>
      one.members(channel, 10, (outcome) => {
        assert.ok(Array.isArray(outcome));
        answers.push(`${channel}: ${outcome.map(({ client }) => client)}`);
      });
    for (const channel of ['a', 'b', 'c', 'a', 'b', 'c', 'a']) members(channel);
    one.join('a', alice);
    server.settle();
    // Those who came while a list was on its way wait for the next, which has what was said before they asked.
    members('a');
    server.settle();
    assert.deepEqual(asked, ['a', 'b', 'c', 'a', 'b', 'a']);
    assert.equal(underWayMost, 2);
    assert.deepEqual(answers, ['a: ', 'b: ', 'c: ', 'c: ', 'a: a1', 'a: a1', 'b: ', 'a: a1']);
  });

  it('answers with an error when the owner is gone', () => {
    const server = new Server();
    const [one] = server.workers;
    const codes: unknown[] = [];
    const take = (outcome: unknown): void => {
      codes.push(outcome instanceof TidegateError ? outcome.code : outcome);
    };
    one.members('room', 1, take);
    one.stats('room', take);
    one.channels(1000, take);
    server.lines[0].close();
    assert.deepEqual(codes, Array(3).fill('worker_unavailable'));
  });
});
