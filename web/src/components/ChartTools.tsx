/** Above the charts: search, x axis, smoothing, scales, size; and the zoom, when there is one. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { cursorText } from "../chart/axis";
import { DEFAULT_VIEW, setView, view } from "../state/url";
import { Icon } from "./Icon";
import { Menu } from "./Menu";
import { SearchBox } from "./SearchBox";
import { metricMatcher } from "./sections";

const SIZES = [{ value: "s", word: "Small" }, { value: "m", word: "Medium" }, { value: "l", word: "Large" }] as const;

export function ChartTools({ metrics }: { metrics: readonly string[] }) {
  const { metric, x, logX, logY, outliers, size, zoom } = view.value;
  const { isPlain } = metricMatcher(metric);
  return (
    <div class="chart-tools" role="toolbar" aria-label="Charts">
      <SearchBox label="Search metrics (regular expression)" placeholder="Search metrics" value={metric} isMain isWrong={isPlain}
        onValue={(next) => setView({ metric: next })} />
      <label class="pick">
        <span>x</span>
        <select value={x} aria-label="X axis" onChange={(event) => setView({ x: event.currentTarget.value, zoom: null }, { push: true })}>
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
      <Menu label="Chart size and view" align="end" button={<Icon name="more" />}>
        {SIZES.map(({ value, word }) => (
          <button key={value} class="menu-item" aria-pressed={size === value} onClick={() => setView({ size: value })}>
            {word}{size === value && <span class="menu-tick"><Icon name="check" size={14} /></span>}
          </button>
        ))}
        <hr />
        <button class="menu-item" onClick={() => setView({ ...DEFAULT_VIEW, columns: view.value.columns, tab: view.value.tab }, { push: true })}>Reset the view</button>
      </Menu>
      {zoom && (
        <button class="chip" onClick={() => setView({ zoom: null }, { push: true })} title="Show everything (double-click on a chart)">
          {cursorText(x, zoom.min)} – {cursorText(x, zoom.max).replace(/^step /, "")}<Icon name="close" size={12} />
        </button>
      )}
    </div>
  );
}

function Toggle({ word, isOn, onPress }: { word: string; isOn: boolean; onPress: () => void }) {
  return <button class={`toggle ${isOn ? "is-on" : ""}`} aria-pressed={isOn} onClick={onPress}>{word}</button>;
}

function Smoothing() {
  const value = useSignal(view.value.smooth);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => {
    value.value = view.value.smooth;
  }, [view.value.smooth]);
  const slide = (next: number): void => {
    value.value = next;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setView({ smooth: next }), 120);
  };
  return (
    <label class="smoothing" title="Exponential moving average, debiased, over the full data">
      <span>Smooth</span>
      <input type="range" min="0" max="0.99" step="0.01" value={value.value} aria-label="Smoothing"
        onInput={(event) => slide(Number(event.currentTarget.value))} />
      <output class={value.value === 0 ? "faint" : ""}>{value.value.toFixed(2)}</output>
    </label>
  );
}
