import { expect, test } from "vitest";
import { together } from "../src/components/SystemCharts";

test("small sections of system charts stand together, large ones by themselves", () => {
  const all = [
    { name: "cpu", keys: ["cpu/use"] },
    { name: "gpu", keys: ["gpu/0/use", "gpu/1/use", "gpu/2/use"] },
    { name: "net", keys: ["net/sent", "net/received"] },
  ];
  expect(together(all)).toEqual([
    { name: "", keys: ["cpu/use", "net/sent", "net/received"] },
    { name: "gpu", keys: ["gpu/0/use", "gpu/1/use", "gpu/2/use"] },
  ]);
  expect(together(all.slice(1, 2))).toEqual(all.slice(1, 2));
});
