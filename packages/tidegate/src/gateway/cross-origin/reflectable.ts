const VISIBLE = /^[\x20-\x7e]+$/;

/** Whether what a request says may stand in the head of its answer: there is something, and no browser would have sent anything else. */
export function isReflectable(value: string | undefined): value is string {
  return value !== undefined && VISIBLE.test(value);
}
