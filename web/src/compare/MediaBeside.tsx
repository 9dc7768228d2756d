/** The media of several runs beside each other, at the same step: a row a key, a column a run. */

import "../run/media/media.css";
import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { records, type MediaKey } from "../api/records";
import { ErrorNotice, Notice } from "../components/Notice";
import { SearchBox } from "../components/SearchBox";
import { metricMatcher } from "../components/sections";
import { plural } from "../format/number";
import { MediaCard } from "../run/media/MediaCard";
import { useStepKeys } from "../run/media/MediaTab";
import { Series } from "../run/media/store";
import { place, setPlace } from "../run/place";
import { useResource } from "../run/resource";
import { StepSlider } from "../run/StepSlider";
import type { Compared } from "./ComparePage";

const SHOWN = 20;

export default function MediaBeside({ project, compared }: { project: string; compared: Compared[] }) {
  const ids = compared.map(({ run }) => run.id);
  const found = useResource(JSON.stringify(["keys", project, ids]), (signal) => allKeys(project, ids, signal), { project, kinds: ["media"] });
  if (!found.data) return found.error ? <ErrorNotice error={found.error} onRetry={found.refresh} /> : <div class="skeleton-cards" role="status" aria-label="Loading media" />;
  return <Shown project={project} compared={compared} keys={found.data} />;
}

type Keys = ReadonlyMap<string, ReadonlyMap<string, MediaKey>>;

/** Key → run → what the run has of it. */
async function allKeys(project: string, ids: readonly string[], signal: AbortSignal): Promise<Keys> {
  const keys = new Map<string, Map<string, MediaKey>>();
  for (const id of ids) {
    const answer = await records.mediaKeys(project, id, signal);
    for (const one of answer.keys) {
      const runs = keys.get(one.key) ?? new Map<string, MediaKey>();
      keys.set(one.key, runs.set(id, one));
    }
  }
  return keys;
}

function Shown({ project, compared, keys }: { project: string; compared: Compared[]; keys: Keys }) {
  const { find, step, keys: chosen } = place.value;
  const all = useMemo(() => new Map<string, Series>(), [project]);
  const made = useSignal(0);
  useEffect(() => () => all.forEach((one) => one.end()), [all]);
  const seriesOf = (run: string, key: string): Series => {
    const name = JSON.stringify([run, key]);
    let found = all.get(name);
    if (!found) {
      all.set(name, (found = new Series(project, run, key)));
      queueMicrotask(() => (made.value += 1));
    }
    return found;
  };
  const steps = useComputed(() => {
    void made.value;
    const known = new Set([...keys.values()].flatMap((runs) => [...runs.values()].flatMap((one) => [one.first_step, one.last_step])));
    all.forEach((one) => one.items.value.forEach((item) => known.add(item.step)));
    return [...known].sort((a, b) => a - b);
  });
  useStepKeys(steps.value);
  const { matches } = metricMatcher(find);
  const found = [...keys.keys()].filter((key) => matches(key) && (chosen.length === 0 || chosen.includes(key)));
  const toggle = (key: string): void => setPlace({ keys: chosen.includes(key) ? chosen.filter((one) => one !== key) : [...chosen, key] });
  return (
    <>
      <div class="media-tools" role="toolbar" aria-label="Media">
        <SearchBox label="Search media (regular expression)" placeholder="Search media" value={find} isMain onValue={(next) => setPlace({ find: next })} />
        <StepSlider label="Step of all media" steps={steps.value} step={step} onStep={(next) => setPlace({ step: next })} />
        {chosen.length > 0 && <button class="chip" onClick={() => setPlace({ keys: [] })}>{plural(chosen.length, "key")} only: show all</button>}
      </div>
      {found.length === 0 && <Notice title="Nothing matches"><button class="button" onClick={() => setPlace({ find: "", keys: [] })}>Show all media</button></Notice>}
      {found.slice(0, SHOWN).map((key) => (
        <section class="section" key={key} aria-label={key}>
          <h2 class="media-section clip" title={key}>{key}</h2>
          <div class="media-beside">
            {compared.map(({ run }) => {
              const facts = keys.get(key)!.get(run.id);
              return facts
                ? <MediaCard key={run.id} project={project} run={run.id} facts={facts} title={run.name} series={() => seriesOf(run.id, key)} step={step}
                    isChosen={chosen.includes(key)} onChoose={() => toggle(key)} />
                : <article key={run.id} class="card media-card"><header class="card-head"><h3 class="clip">{run.name}</h3></header><p class="faint media-missing">Not logged by this run.</p></article>;
            })}
          </div>
        </section>
      ))}
      {found.length > SHOWN && <p class="faint">{plural(found.length - SHOWN, "more key")}: search for them.</p>}
    </>
  );
}
