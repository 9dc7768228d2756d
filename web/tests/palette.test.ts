// @vitest-environment node
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CLEAREST } from "../src/state/colours";
import { colourScale, rampColour, RAMPS } from "../src/theme/ramp";

type Triple = [number, number, number];
const tokens = readFileSync(new URL("../src/theme/tokens.css", import.meta.url), "utf8");

/** The blocks of the sheet: light, dark by the system, dark by choice. */
const blocks = tokens.split(/^:root|^@media/m).slice(1).map((text) => ({
  lines: [...text.matchAll(/--line-\d+: (#[0-9a-f]{6})/g)].map((one) => one[1]!),
  surface: /--surface: (#[0-9a-f]{6})/.exec(text)![1]!,
}));
const [light, systemDark, dark] = blocks as [(typeof blocks)[0], (typeof blocks)[0], (typeof blocks)[0]];

const linear = (hex: string): Triple => [1, 3, 5].map((at) => {
  const c = parseInt(hex.slice(at, at + 2), 16) / 255;
  return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
}) as Triple;
const times = (m: readonly Triple[], v: Triple): Triple => m.map((row) => row[0] * v[0] + row[1] * v[1] + row[2] * v[2]) as Triple;

/** How colours look to people: Machado, Oliveira & Fernandes (2009), severity 1, in linear light. */
const EYES: Record<string, readonly Triple[]> = {
  usual: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
};

/** Ottosson's OKLab: distances in it are about as large as differences look. */
function oklab(rgb: Triple): Triple {
  const clipped = rgb.map((one) => Math.min(1, Math.max(0, one))) as Triple;
  const lms = times([[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566], [0.0883024619, 0.2817188376, 0.6299787005]], clipped);
  return times(
    [[0.2104542553, 0.793617785, -0.0040720468], [1.9779984951, -2.428592205, 0.4505937099], [0.0259040371, 0.7827717662, -0.808675766]],
    lms.map(Math.cbrt) as Triple,
  );
}
const luminance = (hex: string): number => times([[0.2126, 0.7152, 0.0722]], linear(hex))[0];
function contrast(one: string, two: string): number {
  const [low, high] = [luminance(one), luminance(two)].sort((a, b) => a - b) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

describe("the colours of lines", () => {
  it.each([["light", light], ["dark", dark]] as const)("in the %s theme are apart for every eye", (_name, { lines }) => {
    expect(lines).toHaveLength(12);
    for (const [eye, least] of [["usual", 0.1], ["protanopia", 0.08], ["deuteranopia", 0.08]] as const) {
      const seen = lines.map((line) => oklab(times(EYES[eye]!, linear(line))));
      for (let i = 0; i < seen.length; i++)
        for (let j = 0; j < i; j++)
          expect(Math.hypot(...seen[i]!.map((one, k) => one - seen[j]![k]!)), `${eye}: ${lines[i]} and ${lines[j]}`).toBeGreaterThan(least);
    }
  });

  it.each([["light", light], ["dark", dark]] as const)("in the %s theme begin with the clearest", (_name, { lines }) => {
    const seen = lines.slice(0, CLEAREST).map((line) => oklab(linear(line)));
    for (let i = 0; i < seen.length; i++)
      for (let j = 0; j < i; j++)
        expect(Math.hypot(...seen[i]!.map((one, k) => one - seen[j]![k]!)), `${lines[i]} and ${lines[j]}`).toBeGreaterThan(0.17);
  });

  it.each([["light", light], ["dark", dark]] as const)("in the %s theme stand out from the page", (_name, { lines, surface }) => {
    for (const line of lines) expect(contrast(line, surface), line).toBeGreaterThanOrEqual(3);
  });

  it("are the same in both ways to the dark theme", () => {
    expect(systemDark).toEqual(dark);
  });
});

describe("the scale of colours", () => {
  it.each([["light", light], ["dark", dark]] as const)("in the %s theme rises in lightness for every eye and is seen", (name, { surface }) => {
    const colours = Array.from({ length: 21 }, (_, i) => rampColour(RAMPS[name as "light" | "dark"], i / 20));
    for (const eye of Object.values(EYES)) {
      const lightness = colours.map((one) => oklab(times(eye, linear(one)))[0]);
      for (let i = 1; i < lightness.length; i++) expect(lightness[i]! - lightness[i - 1]!).toBeGreaterThan(0.004);
    }
    for (const one of colours) expect(contrast(one, surface), one).toBeGreaterThanOrEqual(3);
  });

  it("is logarithmic where positive values span decades", () => {
    expect(colourScale([1e-4, 1e-1])!.share(1e-2)).toBeCloseTo(2 / 3);
    expect(colourScale([1, 3])!.share(2)).toBeCloseTo(0.5);
    expect(colourScale([5, 5])!.share(5)).toBe(0.5);
    expect(colourScale([NaN])).toBeNull();
  });
});
