/**
 * Reads the rings of the object `name` out of a TopoJSON topology. TopoJSON stores borders once, as arcs of whole numbers
 * that are differences, and describes rings by the numbers of their arcs; `~n` is arc `n` backwards.
 *
 * @returns {[longitude: number, latitude: number][][]} closed rings, in degrees
 */
export function readRings(topology, name) {
  const arcs = topology.arcs.map((arc) => decodeArc(arc, topology.transform));
  const polygons = polygonsOf(topology.objects[name]);
  return polygons.flat().map((ring) => joinArcs(ring, arcs));
}

function polygonsOf(geometry) {
  switch (geometry.type) {
    case 'Polygon':
      return [geometry.arcs];
    case 'MultiPolygon':
      return geometry.arcs;
    case 'GeometryCollection':
      return geometry.geometries.flatMap(polygonsOf);
    default:
      return [];
  }
}

function decodeArc(arc, { scale, translate }) {
  let x = 0;
  let y = 0;
  return arc.map(([dx, dy]) => {
    x += dx;
    y += dy;
    return [x * scale[0] + translate[0], y * scale[1] + translate[1]];
  });
}

function joinArcs(ring, arcs) {
  const points = [];
  for (const number of ring) {
    const arc = number < 0 ? arcs[~number].toReversed() : arcs[number];
    // The first point of an arc is the last of the one before it.
    points.push(...(points.length === 0 ? arc : arc.slice(1)));
  }
  return points;
}
