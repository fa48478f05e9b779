import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect, type Socket } from 'node:net';

/** The processes that a process has started and that have not ended. */
export function childrenOf(pid: number): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number)
    .filter((other) => parentOf(other) === pid);
}

/** Whether there is such a process. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Undefined for a process that is gone, or that nobody has buried yet. */
function parentOf(pid: number): number | undefined {
  try {
    // The name, in parentheses, may hold anything.
    const [state, parent] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
    return state === 'Z' ? undefined : Number(parent);
  } catch {
    return undefined;
  }
}

/** Which of some processes has the server's end of a connection to a port of 127.0.0.1; undefined if none has accepted it. */
export function servingPid(
  pids: readonly number[],
  serverPort: number,
  clientPort: number,
): number | undefined {
  const row = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .find(([, local, remote]) => portOf(local) === serverPort && portOf(remote) === clientPort);
  const inode = row?.[9];
  if (inode === undefined) return undefined;
  return pids.find((pid) => holds(pid, `socket:[${inode}]`));
}

function portOf(address: string | undefined): number {
  return Number.parseInt(address?.split(':')[1] ?? '', 16);
}

function holds(pid: number, target: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => linkOf(`/proc/${pid}/fd/${fd}`) === target);
  } catch {
    return false;
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

/** A connection to a port of 127.0.0.1 that the process has accepted, and not one of `others`, with which it shares the port. */
export async function connectTo(pid: number, others: readonly number[], port: number): Promise<Socket> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    // It is accepted a moment after it is connected.
    for (;;) {
      const serving = servingPid([pid, ...others], port, socket.localPort ?? 0);
      if (serving === pid) return socket;
      if (serving !== undefined || socket.destroyed) break;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    socket.destroy();
  }
}
