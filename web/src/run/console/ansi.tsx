/** Terminal text as elements: colours and weights of ANSI sequences, every other sequence left out. */

export interface Style { fore: string | null; back: string | null; bold: boolean; dim: boolean; italic: boolean; under: boolean; inverse: boolean }
export interface Span { text: string; style: Style }

const PLAIN: Style = { fore: null, back: null, bold: false, dim: false, italic: false, under: false, inverse: false };
// CSI …, OSC … (ended by BEL or ST), two-character escapes, and control characters that mean nothing in a line
const SEQUENCE = /\x1b\[([0-9;:?<=>]*)[ -/]*([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-Z\\^_`-~=><78]|[\x00-\x08\x0b-\x1f\x7f]/g;

/** `\x1b[31mred\x1b[0m` → spans; a number 0–15 is a colour of the theme, `rgb(…)` one of its own. */
export function parseAnsi(text: string): Span[] {
  const spans: Span[] = [];
  let style = PLAIN;
  let from = 0;
  const put = (piece: string): void => {
    if (piece) spans.push({ text: piece, style });
  };
  SEQUENCE.lastIndex = 0;
  for (let match = SEQUENCE.exec(text); match !== null; match = SEQUENCE.exec(text)) {
    put(text.slice(from, match.index));
    from = SEQUENCE.lastIndex;
    if (match[2] === "m") style = restyle(style, match[1] ?? "");
  }
  put(text.slice(from));
  return spans;
}

/** The text alone, as it is searched and copied. */
export const withoutAnsi = (text: string): string => text.replace(SEQUENCE, "");

function restyle(before: Style, words: string): Style {
  const codes = words.split(/[;:]/).map((one) => (one === "" ? 0 : Number(one)));
  let style = { ...before };
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    if (code === 0) style = { ...PLAIN };
    else if (code === 1) style.bold = true;
    else if (code === 2) style.dim = true;
    else if (code === 3) style.italic = true;
    else if (code === 4) style.under = true;
    else if (code === 7) style.inverse = true;
    else if (code === 22) style.bold = style.dim = false;
    else if (code === 23) style.italic = false;
    else if (code === 24) style.under = false;
    else if (code === 27) style.inverse = false;
    else if (code === 39) style.fore = null;
    else if (code === 49) style.back = null;
    else if (code >= 30 && code <= 37) style.fore = String(code - 30);
    else if (code >= 90 && code <= 97) style.fore = String(code - 82);
    else if (code >= 40 && code <= 47) style.back = String(code - 40);
    else if (code >= 100 && code <= 107) style.back = String(code - 92);
    else if (code === 38 || code === 48) {
      const [colour, used] = extended(codes.slice(i + 1));
      i += used;
      if (code === 38) style.fore = colour;
      else style.back = colour;
    }
  }
  return style;
}

function extended(codes: readonly number[]): [string | null, number] {
  if (codes[0] === 5) return [colour256(codes[1] ?? 0), 2];
  if (codes[0] === 2) return [`rgb(${codes.slice(1, 4).map((one) => one & 255).join(" ")})`, 4];
  return [null, 0];
}

function colour256(n: number): string {
  if (n < 16) return String(n);
  if (n >= 232) return `rgb(${Array(3).fill(8 + 10 * (n - 232)).join(" ")})`;
  const level = (one: number): number => (one === 0 ? 0 : 55 + 40 * one);
  return `rgb(${level(Math.floor((n - 16) / 36))} ${level(Math.floor((n - 16) / 6) % 6)} ${level((n - 16) % 6)})`;
}

const colour = (value: string | null): string | undefined =>
  value === null ? undefined : value.startsWith("rgb") ? value : `var(--ansi-${value})`;

/** Marks the places of a search in plain text, whatever colours it has. */
export function AnsiLine({ text, find }: { text: string; find?: RegExp | null }) {
  const spans = parseAnsi(text);
  const places = find ? matches(spans.map((one) => one.text).join(""), find) : [];
  let at = 0;
  return (
    <>
      {spans.flatMap(({ text: piece, style }, i) => {
        const pieces = cut(piece, at, places);
        at += piece.length;
        return pieces.map(([part, isFound], k) => {
          const look = shown(style);
          const inner = isFound ? <mark key={`${i}.${k}`}>{part}</mark> : part;
          return look.class === "" && !look.style ? inner : <span key={`${i}:${k}`} class={look.class} style={look.style}>{inner}</span>;
        });
      })}
    </>
  );
}

function shown(style: Style): { class: string; style: Record<string, string> | undefined } {
  const [fore, back] = style.inverse
    ? [colour(style.back) ?? "var(--surface)", colour(style.fore) ?? "var(--text)"] : [colour(style.fore), colour(style.back)];
  const words = [style.bold && "a-bold", style.dim && "a-dim", style.italic && "a-italic", style.under && "a-under"].filter(Boolean).join(" ");
  const own = { ...(fore ? { color: fore } : {}), ...(back ? { background: back } : {}) };
  return { class: words, style: Object.keys(own).length > 0 ? own : undefined };
}

function matches(text: string, find: RegExp): [number, number][] {
  const found: [number, number][] = [];
  const every = new RegExp(find.source, find.flags.includes("g") ? find.flags : `${find.flags}g`);
  for (let match = every.exec(text); match !== null && found.length < 200; match = every.exec(text)) {
    if (match[0] === "") every.lastIndex += 1;
    else found.push([match.index, match.index + match[0].length]);
  }
  return found;
}

function cut(piece: string, at: number, places: readonly [number, number][]): [string, boolean][] {
  const pieces: [string, boolean][] = [];
  let from = 0;
  for (const [low, high] of places) {
    const a = Math.max(0, low - at);
    const b = Math.min(piece.length, high - at);
    if (b <= 0 || a >= piece.length || b <= a) continue;
    if (a > from) pieces.push([piece.slice(from, a), false]);
    pieces.push([piece.slice(a, b), true]);
    from = b;
  }
  if (from < piece.length) pieces.push([piece.slice(from), false]);
  return pieces;
}
