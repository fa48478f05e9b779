export { applyPatch } from './apply.ts';
export { diffJson } from './diff.ts';
export type { PatchOperation } from './operation.ts';
export { formatPointer, parsePointer, valueAt } from './pointer.ts';
