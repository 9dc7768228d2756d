/** A chart a metric, in sections that open and close. */

import type { Shown } from "../state/runs";
import { setView, view } from "../state/url";
import { ChartCard } from "./ChartCard";
import { Icon } from "./Icon";
import { metricMatcher, sections, sectionTitle, type Section } from "./sections";
import { Notice } from "./Notice";

interface Props { project: string; keys: readonly string[]; runs: readonly Shown[] }

export function ChartGrid({ project, keys, runs }: Props) {
  const { matches } = metricMatcher(view.value.metric);
  const found = keys.filter(matches);
  if (found.length === 0)
    return (
      <Notice title="No metric matches">
        <button class="button" onClick={() => setView({ metric: "" })}>Show all metrics</button>
      </Notice>
    );
  return (
    <div class={`sections size-${view.value.size} ${isFew(found.length) ? "is-few" : ""}`}>
      {sections(found, view.value.pin).map((one) => <SectionView key={one.name} section={one} project={project} runs={runs} isFew={isFew(found.length)} />)}
    </div>
  );
}

/** With a handful of charts each gets more room. */
export const isFew = (count: number): boolean => count <= 6;

interface SectionProps { section: Section; project: string; runs: readonly Shown[]; isFew: boolean }

function SectionView({ section, project, runs, isFew }: SectionProps) {
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
          {section.keys.map((key) => <ChartCard key={key} project={project} metric={key} runs={runs} inSection={section.name} isFew={isFew} />)}
        </div>
      )}
    </section>
  );
}
