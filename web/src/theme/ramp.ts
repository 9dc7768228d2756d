/** A scale of colours for numbers: lightness rises all along, so that it reads the same to every eye and in grey. */

export const RAMPS: Readonly<Record<"light" | "dark", readonly string[]>> = {
  light: ["#30104f", "#433a8c", "#2f6292", "#1f868f", "#1f9f77"],
  dark: ["#6a78d8", "#3f97cc", "#2fb5a0", "#74cf58", "#f2e661"],
};

const channel = (colour: string, at: number): number => parseInt(colour.slice(1 + 2 * at, 3 + 2 * at), 16);

/** The colour at `share`, 0 to 1, of a ramp. */
export function rampColour(ramp: readonly string[], share: number): string {
  const place = Math.min(1, Math.max(0, share)) * (ramp.length - 1);
  const i = Math.min(ramp.length - 2, Math.floor(place));
  const mixed = [0, 1, 2].map((at) => {
    const from = channel(ramp[i]!, at);
    return Math.round(from + (place - i) * (channel(ramp[i + 1]!, at) - from)).toString(16).padStart(2, "0");
  });
  return `#${mixed.join("")}`;
}

export interface ColourScale { isLog: boolean; min: number; max: number; share: (value: number) => number }

/** A scale over values; logarithmic where they are positive and span more than two decades, as learning rates do. */
export function colourScale(values: readonly number[]): ColourScale | null {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return null;
  const min = Math.min(...finite);
  const max = Math.max(...finite);
  const isLog = min > 0 && max / min >= 100;
  const at = (value: number): number => (isLog ? Math.log(value) : value);
  return { isLog, min, max, share: (value) => (max > min ? (at(value) - at(min)) / (at(max) - at(min)) : 0.5) };
}
