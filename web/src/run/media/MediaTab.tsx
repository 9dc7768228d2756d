/** Pictures, sounds, videos, pages, texts, histograms, tables and figures of a run, at one step. */

import "./media.css";
import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { records, type MediaKey } from "../../api/records";
import type { RunAnswer } from "../../api/types";
import { ErrorNotice, Notice, Snippet } from "../../components/Notice";
import { SearchBox } from "../../components/SearchBox";
import { metricMatcher, sections, sectionTitle } from "../../components/sections";
import { plural } from "../../format/number";
import { nearest, StepSlider } from "../StepSlider";
import { place, setPlace } from "../place";
import { useResource } from "../resource";
import { MediaCard } from "./MediaCard";
import { Series } from "./store";

const EXAMPLE = `core.log({"examples": [outrider.Image(picture, caption="a cat")]}, step=100)`;

export default function MediaTab({ record }: { record: RunAnswer }) {
  const { project, id } = record;
  const keys = useResource(JSON.stringify(["media", project, id]), (signal) => records.mediaKeys(project, id, signal), { project, run: id, kinds: ["media"] });
  if (!keys.data) return keys.error ? <ErrorNotice error={keys.error} onRetry={keys.refresh} /> : <div class="skeleton-cards" role="status" aria-label="Loading media" />;
  if (keys.data.keys.length === 0)
    return <Notice title="No media logged yet"><p>Pictures, tables and more appear here when the script logs them:</p><Snippet label="Python that logs a picture" code={EXAMPLE} /></Notice>;
  return <Shown key={id} project={project} run={id} keys={keys.data.keys} stale={keys.error?.message ?? null} />;
}

function Shown({ project, run, keys, stale }: { project: string; run: string; keys: readonly MediaKey[]; stale: string | null }) {
  const { find, keys: chosen, step } = place.value;
  const all = useMemo(() => new Map<string, Series>(), [project, run]);
  const made = useSignal(0);
  useEffect(() => () => all.forEach((one) => one.end()), [all]);
  const seriesOf = (key: string): Series => {
    let found = all.get(key);
    if (!found) {
      all.set(key, (found = new Series(project, run, key)));
      queueMicrotask(() => (made.value += 1));
    }
    return found;
  };
  const { matches } = metricMatcher(find);
  const byKey = new Map<string, MediaKey>();
  for (const one of keys) byKey.set(one.key, one);
  const found = [...byKey.keys()].filter((key) => matches(key) && (chosen.length === 0 || chosen.includes(key)));
  const steps = useComputed(() => {
    void made.value;
    const known = new Set<number>(keys.flatMap((one) => [one.first_step, one.last_step]));
    all.forEach((one) => one.items.value.forEach((item) => known.add(item.step)));
    return [...known].sort((a, b) => a - b);
  });
  useStepKeys(steps.value);
  const toggle = (key: string): void => setPlace({ keys: chosen.includes(key) ? chosen.filter((one) => one !== key) : [...chosen, key] });
  return (
    <>
      <div class="media-tools" role="toolbar" aria-label="Media">
        <SearchBox label="Search media (regular expression)" placeholder="Search media" value={find} isMain onValue={(next) => setPlace({ find: next })} />
        <StepSlider label="Step of all media" steps={steps.value} step={step} onStep={(next) => setPlace({ step: next })} />
        {chosen.length > 0 && <button class="chip" onClick={() => setPlace({ keys: [] })}>{plural(chosen.length, "key")} only: show all</button>}
      </div>
      {stale && <p class="stale" role="alert">{stale} What you see is as of the last update.</p>}
      {found.length === 0 && <Notice title="Nothing matches"><button class="button" onClick={() => setPlace({ find: "", keys: [] })}>Show all media</button></Notice>}
      {sections(found, []).map((section) => (
        <section class="section" key={section.name} aria-label={section.name === "" ? "Media" : sectionTitle(section.name)}>
          {section.name !== "" && <h2 class="media-section">{sectionTitle(section.name)}<span class="section-count"> {section.keys.length}</span></h2>}
          <div class={`media-cards ${found.length === 1 ? "is-one" : ""}`}>
            {section.keys.map((key) => (
              <MediaCard key={key} project={project} run={run} facts={byKey.get(key)!} series={() => seriesOf(key)} step={step}
                isChosen={chosen.includes(key)} onChoose={() => toggle(key)} />
            ))}
          </div>
        </section>
      ))}
    </>
  );
}

/** The arrow keys go a step back or on, wherever the focus is but in a field or a list of its own. */
export function useStepKeys(steps: readonly number[]): void {
  useEffect(() => {
    const typed = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey || (event.key !== "ArrowLeft" && event.key !== "ArrowRight")) return;
      const target = event.target as HTMLElement | null;
      if (target?.closest("input, textarea, select, audio, video, [role=tablist], [role=grid], .table-scroll, dialog")) return;
      const now = place.peek().step;
      const at = now === null ? steps.length - 1 : nearest(steps, now);
      const next = Math.max(0, Math.min(steps.length - 1, at + (event.key === "ArrowRight" ? 1 : -1)));
      event.preventDefault();
      setPlace({ step: next === steps.length - 1 ? null : steps[next]! });
    };
    addEventListener("keydown", typed);
    return () => removeEventListener("keydown", typed);
  }, [steps]);
}
