import { describe, expect, it } from "vitest";
import type { FileEntry } from "../src/api/records";
import { artifactsOf } from "../src/run/artifacts/versions";

const file = (path: string, t: number, meta: FileEntry["meta"] = {}): FileEntry =>
  ({ path, sha256: null, size: 1, type: null, role: "save", state: "ok", why: null, t, present: false, meta });

describe("artifacts", () => {
  it("are the paths that say something of themselves, newest first", () => {
    const found = artifactsOf([file("a", 1, { acc: 1 }), file("plain", 9), file("b", 5, { aliases: ["x"] }), file("a", 2)]);
    expect(found.map((one) => [one.path, one.versions.map((version) => version.number)])).toEqual([["b", [1]], ["a", [2, 1]]]);
    expect(found[1]!.fields).toEqual(["acc"]);
  });

  it("an alias is where it was set last, also in another file", () => {
    const found = artifactsOf([file("a", 1, { aliases: ["best", "first"] }), file("b", 2, { aliases: ["best"] }), file("c", 3, { aliases: "no list" })]);
    expect(found.map((one) => one.versions[0]!.aliases)).toEqual([[], ["best"], ["first"]]);
  });
});
