/** Stable run colours: a run keeps its slot for as long as this browser remembers, and neighbours differ. */

export const SLOTS = 12;
/** The first colours have hues of their own; the others differ from them in lightness, and come when these are taken. */
export const CLEAREST = 8;
const REMEMBERED = 600;

/** A well-mixed hash of an id (FNV-1a with a final avalanche), so that fresh browsers mostly agree on colours. */
export function hash(text: string): number {
  let h = 2166136261;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 16777619);
  h = Math.imul(h ^ (h >>> 16), 2246822507);
  h = Math.imul(h ^ (h >>> 13), 3266489909);
  return (h ^ (h >>> 16)) >>> 0;
}

/**
 * Gives each of `ids` a slot. Known runs keep theirs; a new run takes the clear slot its id hashes to or, when a
 * run of `ids` has that one, the next least used. Slots from 12 on are the same colours, dashed.
 */
export function assignSlots(ids: readonly string[], known: Map<string, number>): Map<string, number> {
  const uses = new Array<number>(SLOTS * 2).fill(0);
  for (const id of ids) {
    const slot = known.get(id);
    if (slot !== undefined) uses[slot % uses.length]! += 1;
  }
  const result = new Map<string, number>();
  for (const id of ids) {
    let slot = known.get(id);
    if (slot === undefined) {
      slot = leastUsed(uses, hash(id) % CLEAREST);
      uses[slot]! += 1;
      known.set(id, slot);
    }
    result.set(id, slot);
  }
  return result;
}

function leastUsed(uses: readonly number[], preferred: number): number {
  const cost = (slot: number): number => uses[slot]! + (slot >= SLOTS ? 0.5 : slot >= CLEAREST ? 0.25 : 0);
  let best = preferred;
  for (let i = 1; i < uses.length; i++) {
    const slot = (preferred + i) % uses.length;
    if (cost(slot) < cost(best)) best = slot;
  }
  return best;
}

const memory = (project: string): string => `outrider.colours:${project}`;
const projects = new Map<string, Map<string, number>>();

function slotsOf(project: string): Map<string, number> {
  let known = projects.get(project);
  if (!known) {
    try {
      const kept = JSON.parse(localStorage.getItem(memory(project)) ?? "[]") as [string, number][];
      known = new Map(kept.filter(([, slot]) => Number.isInteger(slot) && slot >= 0 && slot < SLOTS * 2));
    } catch {
      known = new Map();
    }
    projects.set(project, known);
  }
  return known;
}

/** The slots of the runs that are shown together, remembered for the next visit. */
export function slotsFor(project: string, ids: readonly string[]): Map<string, number> {
  const known = slotsOf(project);
  const before = known.size;
  const slots = assignSlots(ids, known);
  if (known.size !== before) {
    try {
      localStorage.setItem(memory(project), JSON.stringify([...known].slice(-REMEMBERED)));
    } catch {
      // forgetting a colour is no harm
    }
  }
  return slots;
}
