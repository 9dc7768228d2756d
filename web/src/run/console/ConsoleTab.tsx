/** What the run's processes printed: follows, searches, shows colours, over any number of lines. */

import "./console.css";
import { useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { RunAnswer } from "../../api/types";
import { ErrorNotice, Notice } from "../../components/Notice";
import { SearchBox } from "../../components/SearchBox";
import { keepPlace, keptPlace } from "../../components/useKeptScroll";
import { plural } from "../../format/number";
import { formatTime } from "../../format/time";
import { place, setPlace } from "../place";
import { useGrowth } from "../resource";
import { AnsiLine } from "./ansi";
import { linesOf, type AnyLines, type Stream } from "./lines";
import { LogView } from "./LogView";
import { Search } from "./search";

const ROW = 19;
const LONGEST = 4000;
const STREAMS: { value: Stream; word: string }[] = [{ value: "all", word: "All" }, { value: "out", word: "stdout" }, { value: "err", word: "stderr" }];

export default function ConsoleTab({ record }: { record: RunAnswer }) {
  const { project, id } = record;
  const { stream, find, line } = place.value;
  const lines = useMemo(() => linesOf(project, id, stream), [project, id, stream]);
  const search = useMemo(() => (find ? new Search(project, id, stream, find) : null), [project, id, stream, find]);
  const chosen = useSignal(-1);
  const goal = useSignal<{ line: number | "end"; turn: number }>({ line: line ?? "end", turn: 0 });
  const wait = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const atOpening = useRef(search);
  const name = `console:${project}/${id}/${stream}`;
  const keep = (at: number | null): void => keepPlace(name, at === null ? 0 : at + 1);
  const go = (to: number | "end"): void => {
    clearTimeout(wait.current); // what was scrolled to before counts no more
    goal.value = { line: to, turn: goal.peek().turn + 1 };
  };

  useEffect(() => {
    const kept = keptPlace(name);
    if (place.peek().line === null && kept > 0) setPlace({ line: kept - 1 });
  }, [project, id]);
  useEffect(() => keep(place.peek().line), [name, line]);
  useEffect(() => {
    const from = place.peek().line;
    if (from !== null) lines.need(from, from + 60);
    void lines.grow().then(() => go(place.peek().line ?? "end"));
    return () => lines.end();
  }, [lines]);
  useGrowth({ project, run: id, kinds: ["console", "end"] }, () => void lines.grow());
  useEffect(() => {
    chosen.value = -1;
    if (!search) return;
    void search.more().then(() => {
      const places = search.places.peek();
      if (places.length === 0) return;
      const at = place.peek().line ?? 0;
      const first = firstFrom(places, lines.line(at)?.n ?? at);
      // a search that was there before leaves one where one was; a new one shows its first match
      if (search === atOpening.current) chosen.value = first;
      else choose(first);
    });
    return () => search.end();
  }, [search]);
  useEffect(() => () => clearTimeout(wait.current), []);

  const choose = (at: number): void => {
    const places = search?.places.peek() ?? [];
    if (places.length === 0) return;
    chosen.value = (at + places.length) % places.length;
    const found = places[chosen.value]!;
    const top = Math.max(0, lines.indexOf(found) - 8);
    setPlace({ line: top });
    go(top);
    if (chosen.value > places.length - 20) void search?.more();
  };
  const scrolled = (first: number, isAtEnd: boolean): void => {
    clearTimeout(wait.current);
    const at = isAtEnd ? null : first;
    keep(at); // at once: one may be gone before the address says it
    wait.current = setTimeout(() => setPlace({ line: at }), 150);
  };
  const follow = (): void => {
    setPlace({ line: null });
    go("end");
  };
  const typed = (event: KeyboardEvent): void => {
    if (event.metaKey || event.ctrlKey || event.altKey) return;
    if (event.key === "n" || event.key === "N") choose(chosen.peek() + (event.shiftKey ? -1 : 1));
    else if (event.key === "G") follow();
    else if (event.key === "g") (setPlace({ line: 0 }), go(0));
    else return;
    event.preventDefault();
  };

  void lines.turn.value;
  const total = lines.total.value;
  const selected = search && chosen.value >= 0 ? search.places.value[chosen.value] : null;
  const isFollowing = line === null;
  if (total === null && lines.error.value) return <ErrorNotice error={lines.error.value} onRetry={() => void lines.grow()} />;
  return (
    <div class="console">
      <div class="console-tools" role="toolbar" aria-label="Console">
        <SearchBox label="Search the console (regular expression)" placeholder="Search" value={find} isMain isWrong={search?.error.value != null}
          onValue={(next) => setPlace({ find: next })} />
        {search && <Found search={search} chosen={chosen.value} onStep={(by) => choose(chosen.peek() + by)} />}
        <span class="toggles" role="group" aria-label="Stream">
          {STREAMS.map((one) => (
            <button key={one.value} class={`toggle ${stream === one.value ? "is-on" : ""}`} aria-pressed={stream === one.value}
              onClick={() => setPlace({ stream: one.value, line: null })}>{one.word}</button>
          ))}
        </span>
        <button class={`toggle ${isFollowing ? "is-on" : ""}`} aria-pressed={isFollowing} title="Keep the last line in sight (G)" onClick={follow}>Follow</button>
        <span class="faint small console-count" aria-live="polite">{total === null ? "" : plural(total, "line")}{lines.note.value && `, ${lines.note.value}`}{lines.isOpen.value && record.state === "running" ? ", still printing" : ""}</span>
      </div>
      {lines.error.value && <p class="stale" role="alert">{lines.error.value.message} The lines are as of the last update.</p>}
      {total === 0
        ? <Notice title={stream === "all" ? "Nothing was printed yet" : `Nothing was printed to std${stream}`}>
            {stream === "all" ? <p>What the script prints appears here by itself.</p> : <button class="button" onClick={() => setPlace({ stream: "all" })}>Show both streams</button>}
          </Notice>
        : total === null
          ? <div class="skeleton-rows" role="status" aria-label="Loading the console" />
          : (
            <LogView label="Console" total={total} rowHeight={ROW} goal={goal.value} isFollowing={isFollowing}
              onScrolled={scrolled} onRange={(from, to) => lines.need(from, to)} onKey={typed}
              row={(i) => <Row index={i} lines={lines} find={search?.pattern ?? null} isChosen={selected === (lines.line(i)?.n ?? i)} />} />
          )}
    </div>
  );
}

const firstFrom = (places: readonly number[], line: number): number => Math.max(0, places.findIndex((one) => one >= line));

function Found({ search, chosen, onStep }: { search: Search; chosen: number; onStep: (by: number) => void }) {
  const count = search.places.value.length;
  if (search.error.value) return <span class="filter-error" role="alert">{search.error.value}</span>;
  return (
    <span class="console-found">
      <output aria-live="polite">
        {count === 0 ? (search.isBusy.value ? `Searching… ${Math.floor(100 * search.share.value)} %` : "Nothing found") : `${chosen + 1} of ${count.toLocaleString("en-US")}${search.isDone.value ? "" : "+"}`}
      </output>
      <button class="button button-quiet button-small" aria-label="Previous match" title="Previous match (N)" disabled={count === 0} onClick={() => onStep(-1)}>↑</button>
      <button class="button button-quiet button-small" aria-label="Next match" title="Next match (n)" disabled={count === 0} onClick={() => onStep(1)}>↓</button>
    </span>
  );
}

function Row({ index, lines, find, isChosen }: { index: number; lines: AnyLines; find: RegExp | null; isChosen: boolean }) {
  const line = lines.line(index);
  if (!line) return <span class="log-number">{index + 1}</span>;
  if (line.gap) return <div class="log-line"><span class="log-number" /><span class="log-text faint">{plural(line.gap, "byte")} left out here: more was printed than is kept</span></div>;
  const text = line.b.length > LONGEST ? line.b.slice(0, LONGEST) : line.b;
  return (
    <div class={`log-line ${line.o === "err" ? "is-err" : ""} ${isChosen ? "is-chosen" : ""}`}>
      <span class="log-number" title={formatTime(line.t)}>{(line.n + 1).toLocaleString("en-US")}</span>
      <span class="log-text"><AnsiLine text={text} find={find} />{line.b.length > LONGEST && <span class="badge">{plural(line.b.length - LONGEST, "more character")}</span>}</span>
    </div>
  );
}
