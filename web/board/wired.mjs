/** Members who come to a board by the wire: told from the nodes that they come from, and by a run where those say nothing. */

import { regionFor, regionsBefore } from "../regions/known_regions.mjs";
import { upstream } from "../regions/pictures.mjs";

const MOST = 64;

/**
 * [{ name, region, colour, place }] of the cast that is connected to `node`, front to back; `region` is a name, `place` the
 * region itself where it is known. Null where the cast comes from a node that this cannot see through.
 */
export function membersOnWire(node) {
  const chain = [];
  for (let at = upstream(node, "cast"); at; at = upstream(at, "cast")) {
    if (typeOf(at) !== "Troupe_CastMember" || chain.length >= MOST) return null;
    chain.unshift(at);
  }
  const members = [];
  for (const member of chain) {
    const regions = regionsBefore(member);
    const given = nameOf(upstream(member, "identity"));
    const region = regionFor(regions ?? [], members.map((one) => one.region), valueOf(member, "region") ?? "", given);
    const place = regions?.find(({ name }) => name === region) ?? null;
    members.push({ name: given ?? region, region, colour: place?.colour ?? null, place });
  }
  return members;
}

/** The same with the names that a run told, [{ name, region }], which knows them all. */
export function namedByRun(members, told) {
  const known = new Map((members ?? []).map((member) => [member.region, member]));
  return told.map(({ name, region }) => ({ colour: null, place: null, ...known.get(region), name, region }));
}

/** Their places as regions that can be seen and not touched. */
export function ghostsOf(members) {
  return members.filter(({ place }) => place).map(({ name, place }) => ({ ...place, name, locked: true, extra: {}, ghostOf: place.name }));
}

function nameOf(source) {
  const name = valueOf(source, "name") ?? valueOf(source, "person");
  if (typeof name === "string" && name.trim()) return name.trim();
  const file = valueOf(source, "file");
  return typeof file === "string" && file ? file.replace(/^.*[\\/]/, "").replace(/\.\w+$/, "") : null;
}

const typeOf = (node) => node.comfyClass ?? node.type;
const valueOf = (node, name) => node?.widgets?.find((widget) => widget.name === name)?.value;
