import type {
  Arrival,
  AttendanceListener,
  SubscriptionMode,
  Visitor,
} from '../../../src/gateway/grip-attendance/port.ts';

/** Writes down what a list tells, a line each. */
export class WrittenRoll implements AttendanceListener {
  readonly lines: string[] = [];

  arrived({ id, type, route, remoteAddress, scheme }: Visitor): void {
    this.lines.push(`arrived ${id} ${type} ${route} ${remoteAddress} ${scheme}`);
  }

  left(id: string): void {
    this.lines.push(`left ${id}`);
  }

  counted(mode: SubscriptionMode, route: string, channel: string, count: number): void {
    this.lines.push(`${mode} ${route} ${channel}: ${count}`);
  }

  active(route: string, times: number): void {
    this.lines.push(`active ${route} ${times}`);
  }

  requested(route: string, times: number): void {
    this.lines.push(`requested ${route} ${times}`);
  }

  /** What was written since the last call. */
  take(): string[] {
    return this.lines.splice(0);
  }
}

/** A connection that comes by the route `all`, unless it is said otherwise. */
export function arrival(mode: SubscriptionMode, id: string, given: Partial<Arrival> = {}): Arrival {
  return { mode, id, route: 'all', remoteAddress: '192.0.2.1', scheme: 'http', refresh: null, ...given };
}
