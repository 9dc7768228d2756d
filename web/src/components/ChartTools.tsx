/** Above the charts: search, x axis, smoothing, scales, size; and the zoom, when there is one. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { DEFAULT_VIEW, route, setView, view, type SmoothBy } from "../state/url";
import { forgetZooms } from "../state/zoom";
import { editOwn, newOwn } from "../own/editing";
import { Lazy } from "../run/Lazy";
import { Icon } from "./Icon";
import { Menu } from "./Menu";
import { SearchBox } from "./SearchBox";
import { metricMatcher } from "./sections";
import { ZoomChip } from "./ZoomChip";

const SIZES = [{ value: "s", word: "Small" }, { value: "m", word: "Medium" }, { value: "l", word: "Large" }] as const;

const loadLines = () => import("./LinesMenu");
const loadViews = () => import("./ViewsMenu");

/** Another x for all charts: what was zoomed to is no place on it. */
export function pickX(next: string): void {
  forgetZooms();
  setView({ x: next, zoom: null }, { push: true });
}

export function ChartTools({ metrics }: { metrics: readonly string[] }) {
  const { metric, x, logX, logY, outliers, size, zoom, group, colour, baseline } = view.value;
  const isWorkspace = route.value.page === "workspace";
  const { isPlain } = metricMatcher(metric);
  return (
    <div class="chart-tools" role="toolbar" aria-label="Charts">
      <SearchBox label="Search metrics (regular expression)" placeholder="Search metrics" value={metric} isMain isWrong={isPlain}
        onValue={(next) => setView({ metric: next })} />
      <label class="pick">
        <span>x</span>
        <select value={x} aria-label="X axis" onChange={(event) => pickX(event.currentTarget.value)}>
          <option value="step">Step</option>
          <option value="relative">Relative time</option>
          <option value="wall">Wall time</option>
          <optgroup label="Metric">
            {metrics.slice(0, 300).map((key) => <option key={key} value={`metric:${key}`}>{key}</option>)}
          </optgroup>
        </select>
      </label>
      <Smoothing />
      <span class="toggles">
        <Toggle word="Log y" isOn={logY} onPress={() => setView({ logY: !logY })} />
        <Toggle word="Log x" isOn={logX} onPress={() => setView({ logX: !logX })} />
        <Toggle word="Cut outliers" isOn={outliers} onPress={() => setView({ outliers: !outliers })} />
      </span>
      {isWorkspace && (
        <>
          <Menu label="Groups, colours and baseline" align="end" isActive={group !== null || colour !== null || baseline !== null}
            button={<><Icon name="layers" /><span class="small">Group</span></>}>
            <Lazy load={loadLines} />
          </Menu>
          <button class="button button-quiet" title="Make a chart" onClick={() => editOwn(newOwn())}><Icon name="plus" /><span class="small">Chart</span></button>
          <Menu label="Views" align="end" button={<Icon name="bookmark" />}><Lazy load={loadViews} /></Menu>
        </>
      )}
      <Menu label="Chart size and view" align="end" button={<Icon name="more" />}>
        {SIZES.map(({ value, word }) => (
          <button key={value} class="menu-item" aria-pressed={size === value} onClick={() => setView({ size: value })}>
            {word}{size === value && <span class="menu-tick"><Icon name="check" size={14} /></span>}
          </button>
        ))}
        <hr />
        <button class="menu-item" onClick={() => setView({ ...DEFAULT_VIEW, columns: view.value.columns, tab: view.value.tab }, { push: true })}>Reset the view</button>
      </Menu>
      {zoom && <ZoomChip x={x} zoom={zoom} />}
    </div>
  );
}

function Toggle({ word, isOn, onPress }: { word: string; isOn: boolean; onPress: () => void }) {
  return <button class={`toggle ${isOn ? "is-on" : ""}`} aria-pressed={isOn} onClick={onPress}>{word}</button>;
}

const WAYS: { value: SmoothBy; word: string; title: string }[] = [
  { value: "ema", word: "EMA", title: "Exponential moving average, debiased" },
  { value: "mean", word: "Mean", title: "Running mean of so many points" },
  { value: "gauss", word: "Gauss", title: "Gaussian window, its deviation in points" },
];
const MOST_POINTS = 1000;

/** The slider of points is logarithmic: 0 is none, 0.99 is a thousand. */
export const pointsAt = (place: number): number => (place <= 0 ? 0 : Math.round(MOST_POINTS ** (place / 0.99)));
export const placeOf = (points: number): number => (points <= 0 ? 0 : Math.min(0.99, Math.max(0.01, (0.99 * Math.log(points)) / Math.log(MOST_POINTS))));

function Smoothing() {
  const { smooth, smoothBy } = view.value;
  const value = useSignal(smooth);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => {
    value.value = smooth;
  }, [smooth]);
  const isWeight = smoothBy === "ema";
  const slide = (place: number): void => {
    const next = isWeight ? place : pointsAt(place);
    value.value = next;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setView({ smooth: next }), 120);
  };
  const pick = (next: SmoothBy): void => {
    const place = isWeight ? smooth : placeOf(smooth);
    setView({ smoothBy: next, smooth: next === "ema" ? Math.round(place * 100) / 100 : pointsAt(place) });
  };
  return (
    <span class="smoothing" title={`${WAYS.find((one) => one.value === smoothBy)!.title}, over the full data`}>
      <select aria-label="Kind of smoothing" value={smoothBy} onChange={(event) => pick(event.currentTarget.value as SmoothBy)}>
        {WAYS.map((one) => <option key={one.value} value={one.value} title={one.title}>{one.word}</option>)}
      </select>
      <input type="range" min="0" max="0.99" step="0.01" value={isWeight ? value.value : placeOf(value.value)} aria-label="Smoothing"
        aria-valuetext={isWeight ? value.value.toFixed(2) : `${value.value} points`} onInput={(event) => slide(Number(event.currentTarget.value))} />
      <output class={value.value === 0 ? "faint" : ""}>{isWeight ? value.value.toFixed(2) : value.value}</output>
    </span>
  );
}
