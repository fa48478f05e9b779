import { detachedText } from './field-list.ts';

/** What a node costs beside its name: the object, its place in its parent and its own map. Measured. */
const NODE_BYTES = 400;
/** What a URI costs in its node. */
const URI_BYTES = 48;

class Node {
  readonly name: string;
  readonly parent: Node | null;
  readonly children = new Map<string, Node>();
  readonly uris = new Set<string>();

  constructor(name: string, parent: Node | null) {
    this.name = name;
    this.parent = parent;
  }
}

/**
 * URIs by the segments of their paths, so that those with a common prefix are found without looking at the others. Segments beyond `depthMax`
 * share a node: a path of a thousand slashes would otherwise cost a thousand nodes.
 */
export class PathIndex {
  readonly #root = new Node('', null);
  readonly #depthMax: number;
  #bytes = 0;

  constructor(depthMax: number) {
    this.#depthMax = depthMax;
  }

  /** What the index costs in memory. */
  get bytes(): number {
    return this.#bytes;
  }

  add(uri: string): void {
    let node = this.#root;
    for (const segment of segmentsOf(uri, this.#depthMax)) {
      let child = node.children.get(segment);
      if (child === undefined) {
        child = new Node(detachedText(segment), node);
        node.children.set(child.name, child);
        this.#bytes += NODE_BYTES + segment.length;
      }
      node = child;
    }
    if (node.uris.has(uri)) return;
    node.uris.add(uri);
    this.#bytes += URI_BYTES;
  }

  remove(uri: string): void {
    let node = this.#root;
    for (const segment of segmentsOf(uri, this.#depthMax)) {
      const child = node.children.get(segment);
      if (child === undefined) return;
      node = child;
    }
    if (!node.uris.delete(uri)) return;
    this.#bytes -= URI_BYTES;
    while (node.parent !== null && node.uris.size === 0 && node.children.size === 0) {
      node.parent.children.delete(node.name);
      this.#bytes -= NODE_BYTES + node.name.length;
      node = node.parent;
    }
  }

  /**
   * The URIs that begin with a prefix, one by one; null where a step found none. URIs may be added and removed between the steps: those that
   * were there at the start and still are will come.
   */
  *startingWith(prefix: string): Generator<string | null, void, undefined> {
    const segments = segmentsOf(prefix, this.#depthMax);
    const last = segments.pop() ?? '';
    let node = this.#root;
    for (const segment of segments) {
      const child = node.children.get(segment);
      if (child === undefined) return;
      node = child;
    }
    for (const [name, child] of node.children) {
      if (name.startsWith(last)) yield* below(child, prefix);
      else yield null;
    }
  }
}

function* below(node: Node, prefix: string): Generator<string | null, void, undefined> {
  yield null;
  for (const uri of node.uris) yield uri.startsWith(prefix) ? uri : null;
  for (const child of node.children.values()) yield* below(child, prefix);
}

/** The origin and the segments of the path, each with its slash, without the query; the segments beyond `depthMax` are left out. */
function segmentsOf(uri: string, depthMax: number): string[] {
  const query = uri.indexOf('?');
  const end = query === -1 ? uri.length : query;
  const segments: string[] = [];
  let from = 0;
  let at = uri.indexOf('/', uri.indexOf('//') + 2);
  while (at !== -1 && at < end && segments.length < depthMax) {
    segments.push(uri.slice(from, at));
    from = at;
    at = uri.indexOf('/', at + 1);
  }
  if (segments.length < depthMax) segments.push(uri.slice(from, end));
  return segments;
}
