/** What one key holds at the chosen step. It is fetched when it comes near the screen. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { MediaKey } from "../../api/records";
import { Icon } from "../../components/Icon";
import { NEAR } from "../../components/near";
import { useGrowth } from "../resource";
import { Item } from "./Item";
import { itemAt, type Series } from "./store";

interface Props {
  project: string;
  run: string;
  facts: MediaKey;
  series: () => Series;
  step: number | null;
  isChosen: boolean;
  onChoose: () => void;
  title?: string;
}

export function MediaCard({ project, run, facts, series, step, isChosen, onChoose, title }: Props) {
  const card = useRef<HTMLElement>(null);
  const near = useSignal<Series | null>(null);
  useEffect(() => {
    const observer = new IntersectionObserver((entries) => {
      const entry = entries.at(-1);
      if (!entry!.isIntersecting || near.peek()) return;
      near.value = series();
      void near.value.load();
    }, NEAR);
    observer.observe(card.current!);
    return () => observer.disconnect();
  }, []);
  useGrowth({ project, run, kinds: ["media", "file"] }, () => void near.peek()?.load());
  const found = near.value;
  const item = found ? itemAt(found.items.value, step) : null;
  const { key, type } = facts;
  return (
    <article class={`card media-card is-${type}`} ref={card} aria-label={title ?? key}>
      <header class="card-head">
        <h3 class="clip" title={key}>{title ?? key}</h3>
        {item && <span class="faint small media-step">step {item.step.toLocaleString("en-US")}</span>}
        <button class="button button-quiet button-small" aria-pressed={isChosen} aria-label={isChosen ? `Show other keys than ${key}, too` : `Show only ${key}`}
          title={isChosen ? "Show other keys, too" : "Show only this (and others that are chosen)"} onClick={onChoose}><Icon name={isChosen ? "close" : "expand"} size={14} /></button>
      </header>
      <div class="media-body">
        {item && <Item project={project} run={run} item={item} />}
        {!item && found?.error.value && <p class="stale" role="alert">{found.error.value.message} <button class="button" onClick={() => void found.load()}>Try again</button></p>}
        {!item && !found?.error.value && (found?.isReady.value ? <p class="faint media-missing">Nothing at this step or before.</p> : <div class="media-wait" role="status" aria-label="Loading" />)}
        {found?.isCut.value && <p class="faint small">Only the first 10,000 records are shown.</p>}
      </div>
    </article>
  );
}
