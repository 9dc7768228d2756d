/** Stands in for a canvas and writes what is drawn as SVG. */

import type { Pen } from "./pen";

const escapes: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
// characters that XML has no way to write
const xml = (text: string): string =>
  // eslint-disable-next-line no-control-regex
  text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd").replace(/[&<>"]/g, (one) => escapes[one]!);
const n = (value: number): string => String(Math.round(value * 100) / 100);

export class SvgPen implements Pen {
  strokeStyle: string | CanvasGradient | CanvasPattern = "#000";
  fillStyle: string | CanvasGradient | CanvasPattern = "#000";
  globalAlpha = 1;
  lineWidth = 1;
  lineCap: CanvasLineCap = "butt";
  lineJoin: CanvasLineJoin = "miter";
  font = "11px sans-serif";
  textAlign: CanvasTextAlign = "left";
  textBaseline: CanvasTextBaseline = "alphabetic";
  #path: string[] = [];
  #dash: readonly number[] = [];
  #open = 0;
  #clips = 0;
  readonly #saved: number[] = [];
  readonly #parts: string[] = [];

  beginPath(): void {
    this.#path = [];
  }

  moveTo(x: number, y: number): void {
    this.#path.push(`M${n(x)} ${n(y)}`);
  }

  lineTo(x: number, y: number): void {
    this.#path.push(`${this.#path.length === 0 ? "M" : "L"}${n(x)} ${n(y)}`);
  }

  /** Whole circles only: that is all that is drawn. */
  arc(x: number, y: number, radius: number): void {
    const r = n(radius);
    this.#path.push(`M${n(x + radius)} ${n(y)}A${r} ${r} 0 1 1 ${n(x - radius)} ${n(y)}A${r} ${r} 0 1 1 ${n(x + radius)} ${n(y)}`);
  }

  rect(x: number, y: number, width: number, height: number): void {
    this.#path.push(`M${n(x)} ${n(y)}H${n(x + width)}V${n(y + height)}H${n(x)}Z`);
  }

  /** What is drawn until `restore` shows within the path only. */
  clip(): void {
    const id = `clip${this.#clips++}`;
    this.#parts.push(`<clipPath id="${id}"><path d="${this.#path.join("")}"/></clipPath><g clip-path="url(#${id})">`);
    this.#open += 1;
  }

  save(): void {
    this.#saved.push(this.#open);
  }

  restore(): void {
    for (const open = this.#saved.pop() ?? 0; this.#open > open; this.#open--) this.#parts.push("</g>");
  }

  closePath(): void {
    this.#path.push("Z");
  }

  stroke(): void {
    if (this.#path.length === 0) return;
    const dash = this.#dash.length > 0 ? ` stroke-dasharray="${this.#dash.map(n).join(" ")}"` : "";
    this.#parts.push(
      `<path d="${this.#path.join("")}" fill="none" stroke="${xml(String(this.strokeStyle))}" stroke-width="${n(this.lineWidth)}"`
      + ` stroke-linecap="${this.lineCap}" stroke-linejoin="${this.lineJoin}"${dash}${this.#alpha("stroke")}/>`,
    );
  }

  fill(): void {
    if (this.#path.length === 0) return;
    this.#parts.push(`<path d="${this.#path.join("")}" fill="${xml(String(this.fillStyle))}"${this.#alpha("fill")}/>`);
  }

  fillRect(x: number, y: number, width: number, height: number): void {
    this.#parts.push(
      `<rect x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}" fill="${xml(String(this.fillStyle))}"${this.#alpha("fill")}/>`,
    );
  }

  fillText(text: string, x: number, y: number): void {
    const [, weight = "400", size = "11", family = "sans-serif"] = /^(?:(\d+) )?([\d.]+)px (.*)$/.exec(this.font) ?? [];
    const anchor = this.textAlign === "right" ? "end" : this.textAlign === "center" ? "middle" : "start";
    const shift = this.textBaseline === "top" ? 0.8 : this.textBaseline === "middle" ? 0.35 : 0;
    this.#parts.push(
      `<text x="${n(x)}" y="${n(y + shift * Number(size))}" fill="${xml(String(this.fillStyle))}" font-size="${size}" font-weight="${weight}"`
      + ` font-family="${xml(family)}" text-anchor="${anchor}">${xml(text)}</text>`,
    );
  }

  setLineDash(dash: readonly number[]): void {
    this.#dash = dash;
  }

  #alpha(of: "stroke" | "fill"): string {
    return this.globalAlpha < 1 ? ` ${of}-opacity="${n(this.globalAlpha)}"` : "";
  }

  document(width: number, height: number, title: string): string {
    return `<svg xmlns="http://www.w3.org/2000/svg" width="${n(width)}" height="${n(height)}" viewBox="0 0 ${n(width)} ${n(height)}">`
      + `<title>${xml(title)}</title>${this.#parts.join("")}</svg>\n`;
  }
}
