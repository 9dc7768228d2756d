/** The lines of a chart: of runs or of groups, with the baseline, coloured as the view says. */

import { useEffect, useMemo, useRef } from "preact/hooks";
import type { ChartLine } from "../chart/Chart";
import { colouring } from "../state/colouring";
import { grouping, knownGroups } from "../state/grouping";
import { GROUPS } from "../state/groups";
import { known, type Shown } from "../state/runs";
import { entryFor, specKey, watch, type Lines, type SeriesEntry, type SeriesSpec } from "../state/series";
import { view } from "../state/url";

/** A metric, or an expression of metrics. */
export interface Source { key: string; isExpression?: boolean }

interface Followed { entry: SeriesEntry | null; lines: Lines }

const NO_LINES: Lines = new Map();
const ALL_GROUPS = [GROUPS];
const MOST_MEMBERS = 200;

/** Follows an entry while it is seen; until a new window or smoothing has come, the lines that were there stay. */
function useEntry(spec: SeriesSpec | null, wanted: readonly string[], isSeen: boolean): Followed {
  const name = spec ? specKey(spec) : "";
  const entry = useMemo(() => (spec ? entryFor(spec) : null), [name]);
  useEffect(() => (entry && isSeen ? watch(entry, wanted) : undefined), [entry, wanted, isSeen]);
  const kind = spec ? `${spec.key}\n${spec.x}\n${spec.group?.by ?? ""}` : "";
  const before = useRef<{ kind: string; lines: Lines }>({ kind, lines: NO_LINES });
  if (entry?.isReady.value) before.current = { kind, lines: entry.lines.value };
  return { entry, lines: before.current.kind === kind && spec ? before.current.lines : NO_LINES };
}

export interface SourceLines { lines: ChartLine[]; entry: SeriesEntry | null }

/** The lines of one source. `width` 0 asks for nothing yet. */
export function useLines(project: string, source: Source, runs: readonly Shown[], zoom: SeriesSpec["zoom"], smooth: string | null, width: number): SourceLines {
  const { x, expand, baseline, hide } = view.value;
  const group = grouping.value;
  // a width in steps of 200 pixels: resizing the window a little asks for nothing new
  const plain = { project, ...source, x, zoom, width: Math.max(400, Math.ceil(width / 200) * 200), smooth };
  const isSeen = width > 0;
  const ofGroups = useEntry(group && { ...plain, group }, ALL_GROUPS, isSeen);
  const all = knownGroups.value;
  const members = group ? all.filter((one) => expand.includes(one.id.slice(1))).flatMap((one) => one.members.slice(0, MOST_MEMBERS)) : [];
  const ids = [...new Set([...(group ? members : runs.map((one) => one.id)), ...(baseline !== null ? [baseline] : [])])];
  const wanted = useMemo(() => ids, [ids.join("\n")]);
  const ofRuns = useEntry(wanted.length > 0 ? plain : null, wanted, isSeen);
  const colours = colouring.value;
  const names = known.value;
  const lines = useMemo(() => {
    const made: ChartLine[] = [];
    const name = (id: string): string => runs.find((one) => one.id === id)?.name ?? (names.get(id)?.name || id);
    if (group) {
      for (const one of all) {
        if (hide.includes(one.id)) continue;
        if (expand.includes(one.id.slice(1)))
          one.members.forEach((id, i) => {
            const data = ofRuns.lines.get(id);
            if (data && id !== baseline) made.push({ run: id, name: one.names[i] || id, slot: one.slot, data, isThin: true });
          });
        const data = ofGroups.lines.get(one.id);
        if (data) made.push({ run: one.id, name: one.label, slot: one.slot, data, members: new Set(one.members) });
      }
    } else {
      for (const one of runs) {
        const data = ofRuns.lines.get(one.id);
        if (!data || one.id === baseline) continue;
        const colour = colours?.colourOf(one.id);
        made.push({ run: one.id, name: one.name, slot: one.slot, data, ...(colours ? { colour: colour ?? "#8a8f98", isDashed: colour === null } : {}) });
      }
    }
    const data = baseline === null ? undefined : ofRuns.lines.get(baseline);
    if (data && baseline !== null) made.push({ run: baseline, name: name(baseline), slot: 0, data, isBase: true, isDashed: false });
    return made;
  }, [ofGroups.lines, ofRuns.lines, runs, all, group === null, expand.join("\n"), hide.join("\n"), baseline, colours, names]);
  return { lines, entry: group ? ofGroups.entry : ofRuns.entry };
}
