/** A chart a metric, in sections that open and close; pinned charts and those that the user made come first. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { moved, ownId, ownKey, ownTitle } from "../state/cards";
import type { Shown } from "../state/runs";
import { route, setView, view } from "../state/url";
import { ChartCard } from "./ChartCard";
import { Icon } from "./Icon";
import { metricMatcher, OWN, PINNED, sections, sectionTitle, type Section } from "./sections";
import { Notice } from "./Notice";

interface Props { project: string; keys: readonly string[]; runs: readonly Shown[] }

const GAP = 12;
const LEAST = { s: 220, m: 300, l: 520 };
const LEAST_OF_FEW = 400;

export function ChartGrid({ project, keys, runs }: Props) {
  const { metric, pin, size, moves, own } = view.value;
  const grid = useRef<HTMLDivElement>(null);
  const width = useSignal(0);
  const { matches } = metricMatcher(metric);
  const found = keys.filter(matches);
  const made = route.value.page === "workspace" ? own.filter((one) => matches(ownTitle(one))) : [];
  const count = found.length + made.length;
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => (width.value = entry!.contentRect.width));
    if (grid.current) observer.observe(grid.current);
    return () => observer.disconnect();
  }, [count === 0]);
  if (count === 0)
    return (
      <Notice title="No chart matches">
        <button class="button" onClick={() => setView({ metric: "" })}>Show all charts</button>
      </Notice>
    );
  const isFew = count <= 6; // with a handful of charts each gets more room
  const least = isFew && size === "m" ? LEAST_OF_FEW : LEAST[size];
  const columns = Math.max(1, Math.floor((width.value + GAP) / (least + GAP)));
  const all = withOwn(sections(found, pin), made.map((one) => ownKey(one.id)), pin);
  return (
    <div class={`sections size-${size} ${isFew ? "is-few" : ""}`} ref={grid}>
      {all.map((one) => (
        <SectionView key={one.name} section={one.name === `\0${PINNED}` ? one : { ...one, keys: moved(one.keys, moves) }}
          project={project} runs={runs} isFew={isFew} columns={columns} />
      ))}
    </div>
  );
}

/** The sections of metrics with the user's own charts behind the pinned ones. */
export function withOwn(found: readonly Section[], own: readonly string[], pin: readonly string[]): Section[] {
  const pinned = pin.filter((key) => (ownId(key) !== null ? own.includes(key) : found[0]?.name === `\0${PINNED}` && found[0].keys.includes(key)));
  const others = found.filter((one) => one.name !== `\0${PINNED}`);
  return [
    ...(pinned.length > 0 ? [{ name: `\0${PINNED}`, keys: pinned }] : []),
    ...(own.length > 0 ? [{ name: `\0${OWN}`, keys: [...own] }] : []),
    ...others,
  ];
}

interface SectionProps { section: Section; project: string; runs: readonly Shown[]; isFew: boolean; columns: number }

function SectionView({ section, project, runs, isFew, columns }: SectionProps) {
  const { shut } = view.value;
  const name = section.name === "" ? "-" : section.name.replace("\0", "");
  const isOpen = !shut.includes(name);
  const title = sectionTitle(section.name);
  const toggle = (): void => setView({ shut: isOpen ? [...shut, name] : shut.filter((one) => one !== name) });
  return (
    <section class="section" aria-label={title}>
      <h2>
        <button class="section-head" aria-expanded={isOpen} onClick={toggle}>
          <span class={`turn ${isOpen ? "is-open" : ""}`}><Icon name="chevron" size={12} /></span>
          <span class="clip">{title}</span>
          <span class="section-count">{section.keys.length}</span>
        </button>
      </h2>
      {isOpen && (
        <div class="cards">
          {section.keys.map((key) => (
            <ChartCard key={key} project={project} metric={key} runs={runs} inSection={section.name} isFew={isFew}
              place={{ section: section.name, order: section.keys, columns }} />
          ))}
        </div>
      )}
    </section>
  );
}
