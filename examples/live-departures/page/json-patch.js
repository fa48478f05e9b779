/**
 * Applies a JSON patch (RFC 6902) and returns the new value. The one that is given is not changed. The operation `test` is passed over:
 * the gateway knows which value its patches are for.
 */
export function applyPatch(value, patch) {
  // One level above, so that the whole value is a member like any other: its pointer is "".
  const root = { '': structuredClone(value) };
  for (const { op, path, from, value: operand } of patch) {
    if (op === 'add') insert(root, path, operand);
    else if (op === 'remove') take(root, path);
    else if (op === 'replace') find(root, path).set(operand);
    else if (op === 'move') insert(root, path, take(root, from));
    else if (op === 'copy') insert(root, path, structuredClone(find(root, from).get()));
  }
  return root[''];
}

/** The place that a JSON pointer (RFC 6901) names. */
function find(root, pointer) {
  const keys = pointer.split('/').map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
  const last = keys.pop();
  const parent = keys.reduce((value, key) => value[key], root);
  return { parent, key: last, get: () => parent[last], set: (value) => (parent[last] = value) };
}

function insert(root, pointer, value) {
  const { parent, key, set } = find(root, pointer);
  if (Array.isArray(parent)) parent.splice(key === '-' ? parent.length : Number(key), 0, value);
  else set(value);
}

function take(root, pointer) {
  const { parent, key, get } = find(root, pointer);
  const value = get();
  if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else delete parent[key];
  return value;
}
