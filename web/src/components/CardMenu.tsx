/** One chart's own settings: y range, scale, its own zoom, its place, and the files it can be saved as. */

import { useSignal } from "@preact/signals";
import { pictureOf } from "../chart/picture";
import { ownId, settingOf, withSetting, type CardSetting } from "../state/cards";
import { setView, view } from "../state/url";
import { editOwn } from "../own/editing";
import { moveCard, type CardPlace } from "./Card";
import { Icon } from "./Icon";

/** `1e-3` → 0.001; what is no number is null, as an empty field is. */
const numberOf = (text: string): number | null => {
  const value = Number(text.trim().replace(",", ".").replace("−", "-"));
  return text.trim() === "" || !Number.isFinite(value) ? null : value;
};

export default function CardMenu({ cardKey, place }: { cardKey: string; place: CardPlace | null }) {
  const failure = useSignal("");
  const { cards, logY } = view.value;
  const setting = settingOf(cards, cardKey);
  const set = (change: Partial<CardSetting>): void => setView({ cards: withSetting(view.peek().cards, cardKey, change) });
  const own = view.value.own.find((one) => one.id === ownId(cardKey));
  const isLines = !own || own.kind === "lines" || own.kind === "expression";
  const isWrong = setting.low !== null && setting.high !== null && setting.low >= setting.high;
  const save = async (kind: "png" | "svg" | "csv"): Promise<void> => {
    const take = pictureOf(cardKey);
    if (!take) return void (failure.value = "The chart is not drawn yet.");
    const files = await import("../chart/export");
    await files.save(await take(), kind);
  };
  const at = place ? place.order.indexOf(cardKey) : -1;
  const remove = (): void => {
    const { own: all, pin, full, cards: every, moves } = view.peek();
    setView({
      own: all.filter((one) => one !== own && one.id !== own?.id), pin: pin.filter((one) => one !== cardKey),
      cards: every.filter((one) => one.key !== cardKey), moves: moves.filter(([key]) => key !== cardKey),
      full: full === cardKey ? null : full,
    }, { push: true });
  };
  return (
    <>
      {isLines && (
        <>
          <div class="menu-line">
            <span>y from</span>
            <input class="field" aria-label="Lower end of y" placeholder="auto" value={setting.low ?? ""} aria-invalid={isWrong}
              onChange={(event) => set({ low: numberOf(event.currentTarget.value) })} />
            <span>to</span>
            <input class="field" aria-label="Upper end of y" placeholder="auto" value={setting.high ?? ""} aria-invalid={isWrong}
              onChange={(event) => set({ high: numberOf(event.currentTarget.value) })} />
          </div>
          <Item word="Log y" isOn={setting.logY ?? logY} onPress={() => set({ logY: (setting.logY ?? logY) ? (logY ? false : null) : (logY ? null : true) })} />
          <Item word="Zooms alone" isOn={setting.isAlone} onPress={() => set({ isAlone: !setting.isAlone, zoom: setting.isAlone ? null : view.peek().zoom })} />
          <hr />
        </>
      )}
      {(["png", "svg", "csv"] as const).map((kind) => (
        <button key={kind} class="menu-item" onClick={() => void save(kind)}><Icon name="download" size={14} />Save as {kind.toUpperCase()}</button>
      ))}
      {failure.value && <p class="menu-note" role="alert">{failure.value}</p>}
      {place && place.order.length > 1 && (
        <>
          <hr />
          {at > 0 && <button class="menu-item" onClick={() => moveCard(cardKey, place.order[0]!, place.section)}>Move to the front</button>}
          {at > 0 && <button class="menu-item" onClick={() => moveCard(cardKey, place.order[at - 1]!, place.section)}>Move back</button>}
          {at < place.order.length - 1 && <button class="menu-item" onClick={() => moveCard(cardKey, place.order[at + 2] ?? "", place.section)}>Move forward</button>}
        </>
      )}
      {own && (
        <>
          <hr />
          <button class="menu-item" onClick={() => editOwn(own)}><Icon name="pencil" size={14} />Edit the chart</button>
          <button class="menu-item" onClick={remove}><Icon name="close" size={14} />Remove the chart</button>
        </>
      )}
      {place && (setting.height !== null || setting.span !== null) && (
        <button class="menu-item" onClick={() => set({ height: null, span: null })}>The usual size</button>
      )}
    </>
  );
}

function Item({ word, isOn, onPress }: { word: string; isOn: boolean; onPress: () => void }) {
  return (
    <button class="menu-item" aria-pressed={isOn} onClick={onPress}>
      {word}{isOn && <span class="menu-tick"><Icon name="check" size={14} /></span>}
    </button>
  );
}
